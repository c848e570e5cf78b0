"""What watches the platform, and tells people."""

from .monitoring import Monitoring, MonitoringArgs
from .of_stack import monitoring_of

__all__ = ["Monitoring", "MonitoringArgs", "monitoring_of"]
