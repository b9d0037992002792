from ui import steps

steps.require("segments")
steps.next_button("recommend")
