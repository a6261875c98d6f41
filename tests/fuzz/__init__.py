"""Broken inputs by the thousand: each must end in a clear refusal or in a right result (`make fuzz`)."""
