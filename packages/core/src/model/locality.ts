// Where an endpoint or a gateway runs: `region/zone/subzone`, as Istio writes it. Parts that are not known are empty.

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** Reads `region/zone/subzone`, of which the last ones may be absent. */
export function parseLocality(text: string): Locality {
  const [region = "", zone = "", subzone = ""] = text.split("/");
  return { region, zone, subzone };
}

/** The short form: `us/a`, not `us/a/`. Empty when nothing is known. */
export function formatLocality({ region, zone, subzone }: Locality): string {
  return `${region}/${zone}/${subzone}`.replace(/\/+$/, "");
}
