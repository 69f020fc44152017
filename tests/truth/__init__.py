"""The truth suite: submissions that were labelled before they ran, with the reason why each is right or wrong."""
