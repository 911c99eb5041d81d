"""The question that a study asks: axes and their space, phases, designs, claims, and the plan that answers it."""
