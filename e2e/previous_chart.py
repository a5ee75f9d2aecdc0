"""A chart as it was before this one: the present one with an older version, and with a CRD that lacks what it has since
learnt. The two places where the next release differs from this one are changed by hand, since there is no release yet."""
import shutil

import yaml

from helm import CHARTS

VERSION, FIELD, COLUMN = "0.0.9", "offlinePage", "Message"


def make(folder):
    """Its folder. Tunnels of it have no spec.offlinePage and `kubectl get` shows no message."""
    chart = folder / "adit"
    shutil.copytree(CHARTS / "adit", chart, symlinks=False)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": VERSION}))
    file = chart / "files/crds/adit.dev_tunnels.yaml"
    crd = yaml.safe_load(file.read_text())
    version = crd["spec"]["versions"][0]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][FIELD]
    version["additionalPrinterColumns"] = [c for c in version["additionalPrinterColumns"] if c["name"] != COLUMN]
    file.write_text(yaml.safe_dump(crd, width=1000))
    return chart
