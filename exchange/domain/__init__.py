"""The pure core: records folded into standings, standings judged into measures."""
