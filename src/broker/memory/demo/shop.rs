//! The shop's own things: its customers, its books and the JSON that its services send each other.

use jiff::Timestamp;

use super::random::Random;

const FIRST: &[&str] = &[
    "Ingrid", "Tomás", "Aiko", "Fatima", "Lars", "Chidi", "Maeve", "José", "Zofia", "Priya", "Björn", "Amélie", "Kofi",
    "Yara", "Dmitri", "Hana",
];
const LAST: &[&str] = &[
    "Sørensen",
    "García",
    "Tanaka",
    "Haddad",
    "Lindqvist",
    "Okafor",
    "O'Brien",
    "Muñoz",
    "Nowak",
    "Raman",
    "Åkesson",
    "Lefèvre",
    "Mensah",
    "Silva",
    "Petrov",
    "Kováčová",
];
const STREETS: &[&str] =
    &["Harbour Road", "Rua das Flores", "Lange Straße", "Kungsgatan", "Mill Lane", "Rue Oberkampf", "Via Garibaldi"];
const CITIES: &[(&str, &str)] = &[
    ("Bergen", "NO"),
    ("Porto", "PT"),
    ("Köln", "DE"),
    ("Malmö", "SE"),
    ("Galway", "IE"),
    ("Lyon", "FR"),
    ("Torino", "IT"),
    ("Kraków", "PL"),
];
const BOOKS: &[(&str, &str)] = &[
    ("978-0141439518", "Pride and Prejudice"),
    ("978-0140449136", "Crime and Punishment"),
    ("978-0156012195", "The Little Prince"),
    ("978-0679720201", "The Stranger"),
    ("978-0060883287", "One Hundred Years of Solitude"),
    ("978-0307474728", "Cien años de soledad"),
    ("978-0143105428", "Moby-Dick"),
];

/// Somebody who buys books.
pub(super) struct Customer {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) street: String,
    pub(super) city: &'static str,
    pub(super) country: &'static str,
    pub(super) postcode: String,
}

impl Customer {
    pub(super) fn any(random: &mut Random) -> Self {
        let (first, last) = (random.pick(FIRST), random.pick(LAST));
        let plain: String = format!("{first}.{last}").chars().filter(char::is_ascii).collect();
        let at = usize::try_from(random.below(CITIES.len() as u64)).unwrap_or(0);
        let (city, country) = CITIES.get(at).copied().unwrap_or_default();
        Self {
            id: 10_000 + random.below(80_000),
            name: format!("{first} {last}"),
            email: format!("{}@example.org", plain.to_lowercase().replace('\'', "")),
            street: format!("{} {}", random.pick(STREETS), 1 + random.below(140)),
            city,
            country,
            postcode: format!("{:05}", 10_000 + random.below(89_000)),
        }
    }

    pub(super) fn json(&self) -> String {
        format!(r#"{{"id":{},"name":"{}","email":"{}"}}"#, self.id, self.name, self.email)
    }

    pub(super) fn address_json(&self) -> String {
        format!(
            r#"{{"street":"{}","postcode":"{}","city":"{}","country":"{}"}}"#,
            self.street, self.postcode, self.city, self.country
        )
    }
}

/// An order's number and its JSON. `currency` is optional, which the pricing release of 14:02 forgot.
pub(super) fn order(random: &mut Random, number: u64, placed: Timestamp, currency: Option<&str>) -> (String, String) {
    let id = format!("ORD-2026-{number:06}");
    let customer = Customer::any(random);
    let items: Vec<String> = (0..=random.below(3))
        .map(|_| {
            let at = usize::try_from(random.below(BOOKS.len() as u64)).unwrap_or(0);
            let (sku, title) = BOOKS.get(at).copied().unwrap_or_default();
            let (quantity, price) = (1 + random.below(4), random.amount(40));
            format!(r#"{{"sku":"{sku}","title":"{title}","quantity":{quantity},"unit_price":"{price}"}}"#)
        })
        .collect();
    let body = format!(
        r#"{{"order_id":"{id}","ledger_id":{},"placed_at":"{placed}","channel":"{}","customer":{},"items":[{}],"total":"{}","currency":{},"ship_to":{}}}"#,
        9_007_199_254_740_993 + number,
        random.pick(&["web", "web", "app", "partner"]),
        customer.json(),
        items.join(","),
        random.amount(180),
        currency.map_or_else(|| "null".to_owned(), |code| format!("\"{code}\"")),
        customer.address_json(),
    );
    (id, body)
}

/// A captured payment: its id and its JSON. The card numbers are the payment industry's test numbers.
pub(super) fn payment(random: &mut Random, number: u64, at: Timestamp) -> (String, String) {
    let id = format!("pay_{:016x}", random.next());
    let body = format!(
        r#"{{"payment_id":"{id}","order_id":"ORD-2026-{number:06}","captured_at":"{at}","amount":"{}","currency":"EUR","card":{{"number":"{}","expires":"11/28"}},"risk":{{"score":0.{:02},"flags":[]}}}}"#,
        random.amount(180),
        random.pick(&["4242424242424242", "5555555555554444", "378282246310005"]),
        random.below(100),
    );
    (id, body)
}

/// A request for a shipping label.
pub(super) fn label(random: &mut Random, number: u64) -> String {
    let customer = Customer::any(random);
    format!(
        r#"{{"order_id":"ORD-2026-{number:06}","carrier":"{}","service":"{}","weight_g":{},"recipient":"{}","ship_to":{}}}"#,
        random.pick(&["postnord", "dhl", "correos", "anpost"]),
        random.pick(&["parcel", "letter", "express"]),
        180 + random.below(2400),
        customer.name,
        customer.address_json(),
    )
}
