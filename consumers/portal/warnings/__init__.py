"""Early warnings 监测预警: those in force, and each with why, its counts and what follows; for officers and auditors."""
