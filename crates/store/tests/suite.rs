//! The one suite that decides whether a database is right. Each case gets a database of its own.

pub(crate) mod body_keys;
pub(crate) mod catalogue;
pub(crate) mod fixture;
pub(crate) mod generations;
pub(crate) mod ledger_index;
pub(crate) mod links;
pub(crate) mod measure;
pub(crate) mod people;
pub(crate) mod schema;
pub(crate) mod units;

/// Runs every case on databases made by the binary's `database`, which answers `None` where it cannot, and
/// hands out what keeps the database alive.
macro_rules! conformance {
    () => {
        $crate::suite::cases! {
            schema: [
                an_empty_database_is_brought_up_to_date,
                opening_again_changes_nothing,
                a_newer_schema_is_refused,
                a_step_that_was_edited_after_its_release_is_refused,
                a_damaged_value_is_named_by_its_column,
                a_generation_row_that_is_gone_is_damage_and_not_zero,
            ],
            units: [
                what_is_dropped_without_commit_was_never_there,
                after_a_failed_statement_nothing_of_the_unit_is_kept,
                a_reader_sees_one_moment_throughout,
                a_nul_character_is_refused_on_both_databases_alike,
                what_is_not_found_is_none,
                a_change_of_what_is_not_there_is_false_and_no_change,
                a_fact_that_is_made_once_is_the_same_for_everyone,
            ],
            people: [
                principals_read_back_as_written,
                issuer_and_subject_are_unique_together,
                a_team_that_owns_something_cannot_be_deleted,
                a_principal_of_no_team_is_dangling,
                groups_read_back_with_their_members,
                members_come_and_go_one_by_one,
                a_group_of_thousands_is_written_whole,
                keys_read_back_as_written,
                a_key_is_revoked_once_and_for_good,
                touching_keys_never_goes_back_in_time,
                a_deleted_principal_takes_its_keys_grants_and_memberships_along,
                lists_come_in_pieces_that_stay_right_while_rows_come_and_go,
            ],
            catalogue: [
                servers_of_both_transports_read_back_as_written,
                names_are_unique_by_kind_of_thing,
                sealed_secrets_are_kept_by_server_and_name,
                a_deleted_server_leaves_nothing_behind,
                toolsets_read_back_with_selections_in_order,
                grants_of_every_scope_read_back_as_written,
                grants_on_what_does_not_exist_are_dangling,
                definitions_survive_byte_for_byte_and_in_order,
                the_same_discovery_again_is_no_change,
                any_difference_in_a_discovery_is_a_change,
                a_failed_discovery_leaves_the_last_good_one_stale,
                thousands_of_definitions_are_kept_whole,
                two_definitions_of_one_kind_and_key_are_refused,
                the_image_holds_everything_of_one_moment,
            ],
            body_keys: [
                keys_read_back_as_written,
                one_key_of_a_principal_and_class_is_in_use,
                of_many_that_race_for_a_first_key_all_get_one,
                a_destroyed_key_is_gone_for_good_and_tells_how,
                a_key_outlives_its_principal,
                a_key_that_is_not_known_can_be_told_to_be_destroyed,
            ],
            links: [
                a_link_lets_in_once,
                an_expired_link_lets_nobody_in,
                of_many_that_race_for_one_link_exactly_one_wins,
                a_use_that_is_not_committed_does_not_count,
            ],
            ledger_index: [
                records_read_back_as_written,
                an_outcome_completes_the_row_of_its_call,
                writing_a_batch_again_changes_nothing,
                what_is_not_committed_moves_no_position,
                every_filter_finds_its_records_and_no_others,
                pages_follow_each_other_without_gap_or_repetition,
                words_are_found_in_requests_and_in_answers,
                a_common_word_is_found_newest_first,
                no_text_of_a_stranger_stops_the_index,
                forgetting_leaves_nothing,
                threads_come_oldest_first_and_bounded,
            ],
            generations: [
                every_commit_that_changes_something_has_the_next_generation,
                what_no_call_depends_on_leaves_the_generation_alone,
                commits_that_race_get_generations_of_their_own_in_order,
                a_watch_sees_the_first_and_every_later_generation,
                a_watch_passes_over_what_its_owner_has_seen,
            ],
        }
    };
}

macro_rules! cases {
    ($($module:ident: [$($case:ident),* $(,)?]),* $(,)?) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some((db, _keep)) = crate::database().await {
                    crate::suite::$module::$case(db).await;
                }
            })*
        })*
    };
}

pub(crate) use {cases, conformance};
