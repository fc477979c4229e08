"""The one seam of channels that are pushed to: queues, worker, sender, registry."""
