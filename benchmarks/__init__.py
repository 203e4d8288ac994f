"""Speed as ratios on one machine in one run; never asserted in tests."""
