from ui import steps

steps.require("labels")
steps.next_button("evaluate")
