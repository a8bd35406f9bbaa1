"""How sure we are: arrays in, `Estimate` out. numpy and scipy only; a generator is passed in where one is needed."""
