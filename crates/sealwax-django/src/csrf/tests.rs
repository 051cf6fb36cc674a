use super::*;

fn unmasked(token: &str) -> String {
    CsrfSecret::parse(token).unwrap().as_str().to_owned()
}

#[test]
fn known_tokens() {
    let secret = "lcccccccX2kcccccccY2jcccccccssIC";
    for token in [
        "1bcdefghij2bcdefghij3bcdefghij4bcdefghij5bcdefghij6bcdefghijABCD",
        "2JgchWvM1tpxT2lfz9aydoXW9yT1DN3NdLiejYxOOlzzV4nhBbYqmqZYbAV3V5Bf",
    ] {
        assert_eq!(unmasked(token), secret);
    }
    let (a, b, c) = ("a".repeat(32), "b".repeat(32), "c".repeat(32));
    assert_eq!(unmasked(&(a.clone() + &a)), a);
    assert_eq!(unmasked(&(a + &b)), b);
    assert_eq!(unmasked(&(b.clone() + &c)), b);
}

#[test]
fn a_secret_masks_to_what_unmasks_to_it() {
    for byte in 0..=255 {
        let secret = CsrfSecret::from_random(&[byte; 32]);
        let token = secret.mask(&[!byte; 32]);
        check_format(&token).unwrap();
        assert_eq!(unmasked(&token), secret.as_str());
        assert_ne!(secret.mask(&[byte; 32]), token);
    }
}

#[test]
fn every_character_is_as_likely_as_the_others() {
    // The leading digit of every value of the fraction's highest two bytes.
    let mut counts = [0_u32; 62];
    for high in 0..=255 {
        for low in 0..=255 {
            let mut random = [0; 32];
            random[15] = high;
            random[14] = low;
            let first = CsrfSecret::from_random(&random).as_str().as_bytes()[0];
            counts[usize::from(index(first))] += 1;
        }
    }
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(most - least <= 1, "{counts:?}");
}

#[test]
fn format_is_judged_by_length_first() {
    let bad = |text: &str| check_format(text).unwrap_err();
    assert_eq!(bad(""), FormatError::Length);
    assert_eq!(bad(&"!".repeat(31)), FormatError::Length);
    assert_eq!(bad(&"!".repeat(32)), FormatError::Characters);
    assert_eq!(bad(&"é".repeat(32)), FormatError::Characters);
    assert_eq!(bad(&"é".repeat(16)), FormatError::Length);
    assert_eq!(bad(&("a".repeat(63) + "-")), FormatError::Characters);
}

#[test]
fn reasons_are_djangos() {
    let (a, b) = ("a".repeat(32), "b".repeat(32));
    let brought = Brought {
        secret: Some(&a),
        from_session: false,
        field: "",
        header: None,
        header_label: "X-Csrftoken",
    };
    let stars = "*".repeat(64);
    let reason = |brought: Brought<'_>| check_token(&brought).unwrap_err().to_string();
    let cookie = |secret| reason(Brought { secret, ..brought });
    assert_eq!(cookie(None), "CSRF cookie not set.");
    assert_eq!(cookie(Some("x")), "CSRF cookie has incorrect length.");
    assert_eq!(cookie(Some(&stars)), "CSRF cookie has invalid characters.");
    assert_eq!(reason(brought), "CSRF token missing.");

    let header = Some(&*a); // right, but a field that is there comes first
    let field = |field| {
        reason(Brought {
            field,
            header,
            ..brought
        })
    };
    assert_eq!(field("x"), "CSRF token from POST has incorrect length.");
    assert_eq!(
        field(&stars),
        "CSRF token from POST has invalid characters."
    );
    assert_eq!(field(&b), "CSRF token from POST incorrect.");

    let incorrect = "CSRF token from the 'X-Csrftoken' HTTP header incorrect.";
    assert_eq!(
        reason(Brought {
            header: Some(&b),
            ..brought
        }),
        incorrect
    );
    assert_eq!(check_token(&Brought { header, ..brought }), Ok(()));
    let spoilt = Brought {
        secret: Some("x"),
        from_session: true,
        header,
        ..brought
    };
    assert_eq!(reason(spoilt), incorrect);
}
