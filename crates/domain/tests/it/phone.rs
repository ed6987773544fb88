use domain::phone::{PhoneError, normalise};
use serde_json::Value;

#[test]
fn every_vector_of_the_specification_holds() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/vx-003-phone-numbers.json")).unwrap();
    let vectors = fixture["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 15);
    for vector in vectors {
        let input = vector["input"].as_str().unwrap();
        let phone = normalise(input);
        let Some(canonical) = vector["canonical"].as_str() else {
            let expected = match vector["error"].as_str() {
                Some("too short") => PhoneError::TooShort,
                Some("too long") => PhoneError::TooLong,
                Some("empty") => PhoneError::Empty,
                _ => PhoneError::Letters,
            };
            assert_eq!(phone, Err(expected), "{input}");
            continue;
        };
        let phone = phone.unwrap();
        assert_eq!(phone.canonical(), canonical, "{input}");
        for same in vector["same_contact"].as_array().unwrap() {
            assert_eq!(normalise(same.as_str().unwrap()).unwrap().canonical(), canonical, "{same}");
        }
        if let Some(send_to) = vector["send_to"].as_str() {
            assert_eq!(phone.digits(), send_to);
        }
    }
}
