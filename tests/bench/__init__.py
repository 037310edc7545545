"""`make bench`: what the console's own work costs, as a ratio to a floor that is measured in the same run."""
