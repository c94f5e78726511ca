"""The columns that congestion_trace prints."""

COLUMNS = ("seconds", "cwnd", "ssthresh", "in_flight", "lost", "srtt_ms", "acked", "sent", "resent", "timeouts",
           "state")


class Trace:
    """One run."""

    def __init__(self, text):
        self.rows = [tuple(float(word) for word in line.split()) for line in text.splitlines()]

    def column(self, name):
        """Points (seconds, value). Where ssthresh is not known yet there is none."""
        index = COLUMNS.index(name)
        return [(row[0], row[index]) for row in self.rows if name != "ssthresh" or row[index]]

    def changes(self, name):
        """The times at which a value changed."""
        points = self.column(name)
        return [time for (time, value), (_, before) in zip(points[1:], points) if value != before]
