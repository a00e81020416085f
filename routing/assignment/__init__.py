"""Assignment within a department: who gets an item, and why.

`seating` decides (pure), `knowing` reads what it has to know, `giving` acts, `returning` takes back what lies
untouched, `counting` looks after what people hold, `arranging` is what a lead sets.
"""

from routing.assignment.counting import fold_loads, recount_loads
from routing.assignment.giving import assign_waiting
from routing.assignment.knowing import why_theirs
from routing.assignment.returning import take_back_idle

__all__ = ["assign_waiting", "fold_loads", "recount_loads", "take_back_idle", "why_theirs"]
