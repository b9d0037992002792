"""What a column of text means: times, numbers, ids and actions, settled by all its cells."""
