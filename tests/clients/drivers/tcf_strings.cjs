// Strings as the IAB's own library writes them, spoilt ones among them, each with what that library reads in it.
const { GVL, PurposeRestriction, TCModel, TCString } = require("@iabtcf/core");

let seed = Number(process.argv[2]);
const count = Number(process.argv[3]);

function below(most) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * most);
}

function some(ids, share) {
  return ids.filter(() => below(100) < share);
}

function list(vector) {
  const found = [];
  vector.forEach((has, id) => has && found.push(id));
  return found;
}

function makeVendors(most) {
  const vendors = {};
  for (let id = 1; id <= most; id++) {
    if (id === 1 || below(10) < 8) {
      const purposes = { purposes: [1, 3], legIntPurposes: [2, 7], flexiblePurposes: [2, 7] };
      vendors[id] = { id, name: `Vendor ${id}`, ...purposes, specialPurposes: [], features: [], specialFeatures: [] };
    }
  }
  return vendors;
}

const PURPOSES = Object.fromEntries(Array.from({ length: 11 }, (_, place) => [place + 1, { id: place + 1 }]));

function makeString() {
  const vendors = makeVendors(below(5) ? below(60) + 1 : below(250) + 1);
  const gvl = new GVL({
    gvlSpecificationVersion: 3, vendorListVersion: below(400) + 1, tcfPolicyVersion: 5, lastUpdated: new Date(),
    purposes: PURPOSES, specialPurposes: {}, features: {}, specialFeatures: {}, stacks: {}, dataCategories: {}, vendors,
  });
  const ids = Object.keys(vendors).map(Number);
  const purposes = Array.from({ length: 24 }, (_, place) => place + 1);
  const model = new TCModel(gvl);
  model.cmpId = below(4000) + 2;
  model.cmpVersion = below(4000);
  model.consentScreen = below(60);
  model.isServiceSpecific = below(2) === 1;
  model.purposeOneTreatment = below(2) === 1;
  model.publisherCountryCode = ["FR", "DE", "BE"][below(3)];
  model.specialFeatureOptins.set(some([1, 2, 12], 50));
  model.purposeConsents.set(some(purposes, 50));
  model.purposeLegitimateInterests.set(some(purposes, 50));
  model.vendorConsents.set(some(ids, [2, 50, 98][below(3)]));
  model.vendorLegitimateInterests.set(some(ids, [2, 50, 98][below(3)]));
  model.publisherConsents.set(some(purposes, 30));
  model.publisherLegitimateInterests.set(some(purposes, 30));
  model.numCustomPurposes = below(8);
  model.publisherCustomConsents.set(some(Array.from({ length: model.numCustomPurposes }, (_, n) => n + 1), 50));
  for (let number = below(4); number > 0; number--) {
    for (const id of some(ids, 30)) {
      model.publisherRestrictions.add(id, new PurposeRestriction(2 + 5 * below(2), below(3)));
    }
  }
  const moment = Date.UTC(2024, 0, 1) + 86400000 * below(1000);
  model.created = new Date(moment);
  model.lastUpdated = new Date(moment + 86400000 * below(100));
  const string = TCString.encode(model, { isForVendors: below(4) === 0 });
  return below(3) ? string : spoil(string);
}

function spoil(string) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  const place = below(string.length);
  const put = [letters[below(letters.length)], "", letters[below(letters.length)] + string[place]][below(3)];
  return string.slice(0, place) + put + string.slice(place + 1);
}

function read(string) {
  try {
    const model = TCString.decode(string);
    const restrictions = model.publisherRestrictions.getRestrictions().map((one) => (
      [one.purposeId, one.restrictionType, model.publisherRestrictions.getVendors(one)]
    ));
    return {
      created_ms: model.created.getTime(), updated_ms: model.lastUpdated.getTime(), cmp_id: model.cmpId,
      cmp_version: model.cmpVersion, screen: model.consentScreen, language: model.consentLanguage,
      vendor_list: model.vendorListVersion, policy: Number(model.policyVersion), country: model.publisherCountryCode,
      service_specific: model.isServiceSpecific, purpose_one_treatment: model.purposeOneTreatment,
      special_features: list(model.specialFeatureOptins), consents: list(model.purposeConsents),
      interests: list(model.purposeLegitimateInterests), vendor_consents: list(model.vendorConsents),
      vendor_interests: list(model.vendorLegitimateInterests), restrictions, disclosed: list(model.vendorsDisclosed),
      publisher: [
        list(model.publisherConsents), list(model.publisherLegitimateInterests), list(model.publisherCustomConsents),
        list(model.publisherCustomLegitimateInterests),
      ],
    };
  } catch (fault) {
    return { fault: String(fault) };
  }
}

for (let number = 0; number < count; number++) {
  const string = makeString();
  console.log(JSON.stringify({ string, read: read(string) }));
}
