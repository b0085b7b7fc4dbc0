"""The processes of `parcours serve`: the pages, the collectors, the writer and the keeper, started as one command."""
