"""Who asks: sessions and what opens them, the check before every route, and the forms that only our pages send."""
