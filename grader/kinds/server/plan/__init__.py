"""From a lab, a submission and a variant to everything that will be tried."""
