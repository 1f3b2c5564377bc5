"""Linear-chain conditional random field as a spaCy component that learns from few examples."""
