"""Events, causes, interventions and eliminations as data: a new one is one entry in one table here."""
