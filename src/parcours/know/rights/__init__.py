"""What people may ask for: erasure, access, portability, rectification, objection and restriction, each with proof."""
