use super::{Selected, select};
use domain::{
    limits::{QUERY_NODES, QUERY_TEXT},
    nesting,
};
use jmespath::Variable;
use serde_json::{Value, json};

fn on(query: &str, content: &Value) -> Selected {
    select(query, content, None)
}

#[test]
fn query_that_doubles_its_result_is_too_large() {
    let stage = "[@,@]|";
    for stages in [18, 30] {
        let query = format!("{}@", stage.repeat(stages));
        assert!(query.len() < 197);
        assert_eq!(on(&query, &json!("x")), Selected::TooLarge, "{query}");
    }
}

#[test]
fn every_way_to_multiply_is_too_large() {
    let items: Vec<Value> = (0..2_000).map(|n| json!({"n": n, "text": "x".repeat(400)})).collect();
    let double = "[@,@]|".repeat(20);
    for query in [
        "[@,@,@,@][]|".repeat(30) + "length(@)",
        format!("{double}to_string(@)"),
        format!("{double}contains(@, `1`)"),
        format!("{double}@ == @"),
        "map(&[@,@], @)|[]|".repeat(15) + "@",
        "[to_string(@), to_string(@)]|".repeat(12) + "@",
        "[].[text,text,text,text][]|join('', @)|[@,@,@,@]|join('', @)".into(),
        "{a:@,b:@}|".repeat(20) + "@",
        "[@,@]|sort_by(@, &to_string(@))|".repeat(3) + "@",
        format!("[].map(&sort([{}]), [@,@,@,@])", vec!["text"; 40].join(",")),
    ] {
        assert_eq!(on(&query, &json!(items)), Selected::TooLarge, "{query}");
    }
}

#[test]
fn result_at_the_limit_is_found_and_one_more_node_is_not() {
    // Read, evaluated and written: the list and its items each time, and the step itself.
    let most = (QUERY_NODES - 1) / 2;
    assert!(matches!(on("@", &json!(vec![0; most - 1])), Selected::Found(_)));
    assert_eq!(on("@", &json!(vec![0; most])), Selected::TooLarge);
    assert!(matches!(on("@", &json!("x".repeat(QUERY_TEXT / 2))), Selected::Found(_)));
    assert_eq!(on("@", &json!("x".repeat(QUERY_TEXT / 2 + 1))), Selected::TooLarge);
}

#[test]
fn queries_select_what_the_crate_selects() {
    let data = json!({
        "name": "Ann", "n": -3.5, "tags": ["b", "a", "c"], "nothing": null, "flag": false,
        "items": [{"sku": "x", "price": 7, "of": [1, [2]]}, {"sku": "y", "price": 2}, {"sku": "z", "price": 9, "of": []}],
        "by": {"one": {"v": 1}, "two": {"v": 2}, "three": 3},
    });
    for query in [
        "name",
        "missing",
        "items[0].sku",
        "items[-1].sku",
        "items[9]",
        "items[*].price",
        "items[].of[]",
        "items[*].of[]",
        "by.*",
        "by.*.v",
        "items[?price > `5`].sku",
        "items[?sku == 'y'] | [0]",
        "items[1:]",
        "items[::-1].sku",
        "items[:-1].sku",
        "items[::2]",
        "items[0:0:0]",
        "[name, n]",
        "{a: name, b: items[0].price}",
        "missing.[a]",
        "name || n",
        "missing || n",
        "flag && name",
        "!flag",
        "!name",
        "n < `0`",
        "name == 'Ann'",
        "name != tags",
        "tags == `[\"b\",\"a\",\"c\"]`",
        "name > n",
        "abs(n)",
        "ceil(n)",
        "floor(n)",
        "avg(items[].price)",
        "contains(tags, 'a')",
        "contains(name, 'nn')",
        "ends_with(name, 'n')",
        "starts_with(name, 'x')",
        "join('-', tags)",
        "keys(by)",
        "values(by)",
        "length(tags)",
        "length(name)",
        "map(&price, items)",
        "map(&missing, items)",
        "max(tags)",
        "min(items[].price)",
        "max_by(items, &price).sku",
        "min_by(items, &sku).sku",
        "merge(by, {one: `1`})",
        "not_null(missing, name)",
        "reverse(tags)",
        "reverse(name)",
        "sort(tags)",
        "sort_by(items, &price)[].sku",
        "sort_by(items, &sku)[0]",
        "sum(items[].price)",
        "to_array(name)",
        "to_number('12.5')",
        "to_number(name)",
        "to_string(items)",
        "to_string(name)",
        "type(by)",
        "sort_by(items, &of)",
        "sort_by(tags, &@)",
        "max_by(`[]`, &@)",
        "sort_by(`[]`, &@)",
        "unknown(name)",
        "length(n)",
        "abs(name)",
        "map(&@)",
        "sort_by(name, &@)",
        "max_by(`[1, \"a\"]`, &@)",
        "@",
        "items[?of].sku",
        "by.[one.v, two.v]",
        "tags[?@ != 'a'] | sort(@)",
    ] {
        let expression = jmespath::compile(query).unwrap();
        let theirs = match expression.search(Variable::from_serializable(&data).unwrap()) {
            Ok(found) => Selected::Found(serde_json::to_value(&*found).unwrap()),
            Err(error) => Selected::Failed(error.to_string()),
        };
        assert_eq!(on(query, &data), theirs, "{query}");
    }
}

#[test]
fn extreme_slices_and_indexes_do_not_overflow() {
    let data = json!([1, 2, 3]);
    assert_eq!(on("[1::2147483647]", &data), Selected::Found(json!([2])));
    assert_eq!(on("[::-2147483647]", &data), Selected::Found(json!([3])));
    assert_eq!(on("[-2147483647]", &data), Selected::Found(Value::Null));
}

#[test]
fn expression_reference_is_only_an_argument() {
    for query in ["&name", "[&name]", "to_array(&name)", "map(name, &name)"] {
        assert!(matches!(on(query, &json!({"name": [1]})), Selected::Failed(_)), "{query}");
    }
}

#[test]
fn found_value_is_no_deeper_than_stored_json_may_be() {
    let query = "[".repeat(90) + "@" + &"]".repeat(90);
    let Selected::Found(value) = on(&query, &json!([[[1]]])) else { panic!("found") };
    assert!(!nesting::exceeds(&value, nesting::DEEPEST));
}

#[test]
fn deepest_queries_fit_the_stack_of_a_thread() {
    let run = || {
        let queries = [
            "[".repeat(49) + "@" + &"]".repeat(49),
            "map(&".repeat(30) + "@" + &", @)".repeat(30),
            "!".repeat(99) + "@",
            "[@]|".repeat(45) + "to_string(@)",
        ];
        for query in queries {
            let _ = on(&query, &json!([[[[[1]]]]]));
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}
