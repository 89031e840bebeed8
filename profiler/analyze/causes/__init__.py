"""Takes costs and what was seen inside, gives causes: the ladder, interventions, rebuilt libraries, the rest."""
