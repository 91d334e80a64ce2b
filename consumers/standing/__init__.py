"""The standing processor: consume, decode, load, fold, judge, commit, publish."""
