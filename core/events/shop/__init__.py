"""The invented shop of `core.events.synthetic`: its goods, its people and what they do."""
