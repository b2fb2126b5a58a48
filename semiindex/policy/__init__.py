"""The estimators: index class, link and objective composed as scikit-learn classifiers."""
