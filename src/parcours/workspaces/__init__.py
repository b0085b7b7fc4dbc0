"""What each role sees: pages in French and English over what has been measured."""
