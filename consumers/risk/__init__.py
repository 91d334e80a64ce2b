"""Risk classes: beside the spine, each enterprise's class is worked out anew when something is known of it, and monthly for all."""
