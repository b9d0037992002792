from ui import steps

steps.require("sequences")
steps.next_button("represent")
