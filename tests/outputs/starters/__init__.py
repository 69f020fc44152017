"""What the starters of labs that take a machine get: results of real runs, and the evidence that their reports show."""
