"""What will happen: purchase, churn and value models, and what they must beat."""
