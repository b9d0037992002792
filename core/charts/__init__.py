"""Pure Plotly figures from artifacts, one file per family.

Every figure says what it shows (title), how to read it (subtitle) and what it tells those who
cannot see it (``figure.layout.meta["alt"]``). Data strings in figures go through `theme.safe`.
"""
