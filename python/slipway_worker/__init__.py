"""The process that runs user Python code for the Slipway server. Standard library only; numpy when the user has it."""
