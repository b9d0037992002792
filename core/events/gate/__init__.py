"""The inside of the strict gate: from bytes to rows of text, with every problem by its line."""
