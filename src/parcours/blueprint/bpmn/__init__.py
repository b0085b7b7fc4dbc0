"""BPMN 2.0 in and out: the blueprint as two participants, four lanes, and the flows between them."""
