"""督查: what becomes of a round, its visits and what was found, and who is told.

A campaign is archived (归档) only when all that its rounds have found is put right; then nothing of them changes.
`steps` is the table of all changes of state; `planning` writes the plan, `visiting` what a team finds,
`rectifying` how it is put right.
"""
