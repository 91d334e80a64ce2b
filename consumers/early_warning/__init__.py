"""Early warning: windows over all records, baselines of every series, signals about single subjects; warnings go back in as records."""
