"""督查: what becomes of a round, its visits and what was found, and who is told.

`steps` is the table of all changes of state; `planning` writes the plan, `visiting` what a team finds,
`rectifying` how it is put right.
"""
