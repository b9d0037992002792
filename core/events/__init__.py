"""From files to a clean log: `read`, `mapping`, `clean`, and what is seen on the way.

The modules here are what other parts call; what is inside them stands in `gate` (bytes to rows of
text), `columns` (what the cells mean), `cleaning` (the rules) and `shop` (the invented sample).
"""
