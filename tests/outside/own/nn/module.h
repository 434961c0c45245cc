#error "a header of tarsier includes this one of the user's"
