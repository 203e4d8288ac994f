"""督查: what becomes of a round, its visits and what was found, and who is told.

What a round of an archived campaign (归档) has found is followed up all the same; all else of it stays.
`steps` is the table of all changes of state; `planning` writes the plan, `visiting` what a team finds,
`rectifying` how it is put right.
"""
