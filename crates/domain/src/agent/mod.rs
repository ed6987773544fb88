//! An agent: its graph, how it is read, checked and filled with variables.
