from ui import steps

steps.require("recommendations")
