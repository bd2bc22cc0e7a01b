"""Entries of the catalogue that take more than one bent message, and the tests that show them.

Named by file and function below ``tests/``; a test sees to it that each exists.
"""

_WRAPPING = "attacks/test_signature_wrapping.py"
_JUDGE = "attacks/test_judges_rules.py"
_FINDINGS = "attacks/test_review_findings.py"
_LIFE = "attacks/test_context_life.py"
_CONVERSATIONS = "attacks/test_conversation_policies.py"
_TICKETS = "attacks/test_kerberos_tickets.py"
_CALLERS = "attacks/test_kerberos_callers.py"
_COSTS = "attacks/test_costs.py"
_LEAKS = "attacks/test_leaks.py"
_GUESSING = "attacks/test_guessing.py"
_REPLAYS = "attacks/test_replays.py"
_EARLY = "attacks/test_before_decryption.py"
_HOLES = "unit/server/test_server_spyne_holes.py"
_SERVER = "unit/server/test_server_application.py"
_HTTP = "unit/server/test_server_http.py"
_BROKEN = "live/test_broken_peers.py"
_BOUNDS = "live/test_connection_bounds.py"
_FRAME = f"{_BROKEN}::test_frame"
_FAULT = "unit/soap/test_soap_fault.py"
_REVOCATION = "unit/keyring/test_keyring_revocation.py"
_COUNTS = "unit/exchange/test_cost_counts.py"
_ANY = "properties/test_properties_exchange.py"

_WORST = f"{_COSTS}::test_a_worst_case_of_the_tree"
_WRAPPED = f"{_WRAPPING}::test_no_wrapping_is_accepted"
_TWICE = f"{_WRAPPING}::test_a_second_copy_of_a_signed_element_is_refused"
_UNIFORM = f"{_FAULT}::test_every_reason_gets_the_same_bytes"
_SILENT = f"{_FAULT}::test_every_fault_is_valid_and_says_nothing_of_the_cause"

BESIDE: dict[str, tuple[str, ...]] = {
    "A03": (_WORST,),
    "A04": (f"{_FINDINGS}::test_no_file_is_opened_for_a_document_type",),
    "A07": (_WORST,),
    "A08": (_WORST,),
    "A09": (_WORST,),
    "A10": (_WORST,),
    "A11": (_WORST,),
    "A16": (
        f"{_ANY}::test_no_change_of_bytes_brings_other_content",
        f"{_ANY}::test_no_change_of_the_tree_brings_other_content",
    ),
    "A19": (f"{_ANY}::test_any_bytes_raise_only_our_errors", f"{_ANY}::test_any_tree_raises_only_our_errors"),
    "B01": (_FRAME, f"{_HTTP}::test_get_of_an_operation_reaches_nothing"),
    "B02": (_FRAME, f"{_HTTP}::test_other_media_types_are_refused"),
    "B03": (
        _FRAME,
        f"{_BROKEN}::test_b03_a_length_shorter_than_the_body",
        f"{_BROKEN}::test_b03_a_body_that_ends_early",
        f"{_BROKEN}::test_b03_what_is_too_long_is_refused_and_not_awaited",
        f"{_BROKEN}::test_no_temporary_file_is_left",
    ),
    "B04": (_FRAME, f"{_HTTP}::test_content_codings"),
    "B05": (
        _FRAME,
        "unit/server/peers/test_chunks.py::test_what_is_in_doubt_is_refused",
        f"{_BOUNDS}::test_a_body_that_the_application_left_is_not_the_next_request",
    ),
    "B06": (
        "live/test_slow_peers.py::test_good_clients_are_served_beside",
        f"{_BROKEN}::test_b06_a_reset_in_a_request_leaves_it_unseen",
        f"{_BROKEN}::test_b06_a_client_that_is_gone_before_its_answer_was_served_once",
        f"{_BROKEN}::test_b06_each_dawdler_is_told_or_cut_in_time",
        f"{_BOUNDS}::test_one_address_has_so_many_connections_and_no_more",
        f"{_BOUNDS}::test_what_is_held_for_all_is_bounded",
    ),
    "B07": (_FRAME,),
    "B08": (_FRAME, f"{_HOLES}::test_spyne_expands_entities_inside_multipart"),
    "B09": (_FRAME,),
    "B11": (
        f"{_BROKEN}::test_b11_a_header_makes_no_tls",
        "unit/server/test_server_transport.py::test_certificates_in_headers_count_for_nothing",
    ),
    "B12": (
        f"{_BROKEN}::test_b12_a_host_is_not_believed",
        "unit/server/test_server_wsdl.py::test_the_host_header_is_never_trusted",
    ),
    "B13": (
        f"{_BROKEN}::test_b13_nothing_of_a_request_is_in_the_head_of_an_answer",
        f"{_HTTP}::test_soap_actions_that_are_none",
    ),
    "C05": (_WORST,),
    "C06": (
        f"{_HOLES}::test_an_unsigned_header_stays_out_of_parameters",
        f"{_HOLES}::test_an_unknown_href_is_a_refusal",
        f"{_HOLES}::test_a_cycle_of_hrefs_is_a_refusal",
    ),
    "C07": (
        f"{_HOLES}::test_spyne_takes_nil_false_for_nil",
        f"{_HOLES}::test_nil_is_nil",
        f"{_HOLES}::test_spyne_makes_whatever_class_the_client_names",
        f"{_HOLES}::test_a_declared_subtype_is_welcome",
    ),
    "C08": (
        f"{_HOLES}::test_spyne_leaves_the_schema_alone",
        "unit/server/test_server_values.py::test_values_that_do_not_fit",
    ),
    "D05": ("unit/header/test_header_children.py::test_references_that_are_refused",),
    "D07": (_WORST,),
    "D08": (f"{_JUDGE}::test_one_alternative_must_be_met_completely",),
    "D09": (
        f"{_JUDGE}::test_our_reply_is_no_request",
        f"{_CONVERSATIONS}::test_another_request_of_ours_as_reply",
        f"{_CONVERSATIONS}::test_a_withheld_body_under_the_header_of_our_own_reply",
        f"{_CONVERSATIONS}::test_our_own_reply_that_looks_like_a_request",
    ),
    "E01": (_WRAPPED,),
    "E02": (_WRAPPED,),
    "E03": (_WRAPPED,),
    "E04": (_WRAPPED,),
    "E05": (_WRAPPED,),
    "E06": (_TWICE, _WORST),
    "E07": (_WRAPPED,),
    "E08": (_TWICE,),
    "E16": (
        f"{_JUDGE}::test_a_signature_transplanted_with_its_parts_is_a_replay_of_parts",
        f"{_CONVERSATIONS}::test_an_earlier_body_under_a_withheld_header",
    ),
    "E17": (f"{_WRAPPING}::test_ciphertext_cannot_be_wrapped",),
    "F11": (f"{_FINDINGS}::test_an_ecdsa_signature_in_its_other_spelling_is_a_replay",),
    "F12": ("attacks/test_optimised.py::test_without_assertions",),
    "F14": (
        f"{_JUDGE}::test_a_reply_to_another_request_is_refused",
        f"{_CONVERSATIONS}::test_an_earlier_reply_again",
    ),
    "G01": (f"{_JUDGE}::test_strangers",),
    "G04": (f"{_JUDGE}::test_faults_of_a_pinned_certificate",),
    "G05": (
        f"{_REVOCATION}::test_revoked",
        f"{_REVOCATION}::test_stale_and_future_lists",
        f"{_REVOCATION}::test_missing_list",
        f"{_REVOCATION}::test_list_in_the_name_of_the_issuer_by_somebody_else",
    ),
    "G06": (f"{_JUDGE}::test_faults_of_a_pinned_certificate", f"{_JUDGE}::test_strangers"),
    "G07": (
        f"{_JUDGE}::test_our_own_certificate_is_no_credential",
        f"{_JUDGE}::test_a_certificate_of_tls_is_nobodys_unless_it_is_trusted",
    ),
    "G09": (f"{_JUDGE}::test_oversized_keys_cost_nothing", f"{_JUDGE}::test_strangers"),
    "G10": (f"{_JUDGE}::test_two_keys_under_one_name_are_refused",),
    "G11": (f"{_JUDGE}::test_an_eavesdropped_token_with_its_own_key_is_refused",),
    "H07": (_WORST, f"{_FINDINGS}::test_a_prefix_list_over_many_declarations_is_refused_before_it_costs"),
    "H08": (f"{_COSTS}::test_many_references_to_large_parts",),
    "H10": (
        f"{_COUNTS}::test_a_request_costs_each_step_once",
        f"{_COUNTS}::test_a_reply_costs_each_step_once",
    ),
    "I02": (
        f"{_EARLY}::test_a_stale_one_is_not",
        f"{_EARLY}::test_nor_one_without_a_signature",
        f"{_EARLY}::test_nor_a_changed_copy_of_an_accepted_one",
        f"{_CONVERSATIONS}::test_nothing_is_decrypted_for_what_is_old_or_not_signed",
    ),
    "I06": (f"{_FINDINGS}::test_plaintext_of_any_form_gets_the_same_fault",),
    "I07": (f"{_WRAPPING}::test_ciphertext_cannot_be_wrapped",),
    "I11": (f"{_COSTS}::test_decrypt_bombs", f"{_COSTS}::test_thirty_ciphertexts"),
    "J01": (
        "unit/header/test_header_times.py::test_refused",
        "unit/header/test_header_times.py::test_let_in",
    ),
    "J02": (f"{_FINDINGS}::test_a_moment_at_the_end_of_time_is_of_the_future",),
    "J03": (
        "live/test_replay_load.py::test_ten_thousand_sends_with_sqlite",
        "live/test_replay_load.py::test_ten_thousand_sends_to_two_machines_with_redis",
        "live/test_replay_load.py::test_workers_killed_every_second_with_sqlite",
        f"{_JUDGE}::test_a_second_copy_is_a_replay",
        f"{_JUDGE}::test_of_fifty_copies_at_once_one_is_accepted",
        f"{_LIFE}::test_the_same_message_twice",
    ),
    "J04": (
        f"{_JUDGE}::test_a_copy_with_the_same_nonce_is_a_replay",
        f"{_FINDINGS}::test_an_ecdsa_signature_in_its_other_spelling_is_a_replay",
    ),
    "J05": ("unit/header/test_header_children.py::test_base64_has_one_spelling",),
    "J06": (
        f"{_REPLAYS}::test_a_full_store_refuses_what_is_new_and_knows_what_was",
        f"{_REPLAYS}::test_no_room_is_the_receivers_fault_and_tells_nothing",
        f"{_JUDGE}::test_a_store_that_does_not_answer_lets_nothing_in",
    ),
    "J07": (
        f"{_JUDGE}::test_an_entry_outlives_the_window_of_its_message",
        f"{_REPLAYS}::test_what_the_machine_ahead_has_accepted_the_one_behind_refuses_to_the_last",
        f"{_REPLAYS}::test_what_the_machine_behind_has_accepted_the_one_ahead_refuses",
    ),
    "J08": (
        f"{_JUDGE}::test_a_second_copy_is_a_replay",
        f"{_REPLAYS}::test_an_endpoint_that_is_more_patient_needs_a_longer_memory",
    ),
    "J10": (f"{_JUDGE}::test_a_store_that_does_not_answer_lets_nothing_in",),
    "K07": (f"{_FINDINGS}::test_bytes_cannot_move_from_nonce_to_created",),
    "K09": (
        f"{_GUESSING}::test_k09_an_unknown_user_has_the_same_course_and_the_same_replies",
        f"{_GUESSING}::test_k09_a_right_password_during_a_delay_shows_in_nothing",
    ),
    "K10": (
        f"{_GUESSING}::test_k10_one_stranger_guesses_at_one_user",
        f"{_GUESSING}::test_k10_many_addresses_guess_at_one_user",
        f"{_GUESSING}::test_k10_one_address_guesses_at_many_users",
        f"{_GUESSING}::test_k10_a_stranger_does_not_keep_a_user_out_for_good",
        f"{_LEAKS}::test_nothing_is_asked_of_the_user_store_before_the_message_holds",
    ),
    "L01": (
        f"{_LIFE}::test_identifiers_are_random_and_never_the_same",
        f"{_LIFE}::test_all_that_is_gone_is_answered_alike",
    ),
    "L02": (f"{_CONVERSATIONS}::test_asked_under_the_outer_policy",),
    "L03": (
        f"{_LIFE}::test_cancelled",
        f"{_LIFE}::test_expired",
        f"{_LIFE}::test_renewed",
        f"{_LIFE}::test_the_race_of_cancellations_has_one_winner",
    ),
    "L04": (f"{_LIFE}::test_somebody_else_asks_for_it", f"{_LIFE}::test_asked_without_any_signature"),
    "L05": (f"{_LIFE}::test_the_key_is_never_the_clients_choice",),
    "L06": (
        f"{_LIFE}::test_an_owner_has_only_so_many",
        f"{_LIFE}::test_an_address_has_only_so_many_where_callers_are_anonymous",
        f"{_LIFE}::test_all_together_have_only_so_many",
    ),
    "L07": (
        f"{_LIFE}::test_a_username_token_in_the_conversation",
        f"{_LIFE}::test_another_client_certificate_of_tls",
    ),
    "L11": (f"{_CONVERSATIONS}::test_our_own_reply_that_looks_like_a_request",),
    "L12": (f"{_LIFE}::test_a_lifetime_is_clamped", f"{_LIFE}::test_a_renewal_is_clamped_as_well"),
    "L13": (
        f"{_LIFE}::test_the_same_message_twice",
        f"{_LIFE}::test_one_of_many_copies_at_once_is_accepted",
        f"{_CONVERSATIONS}::test_bodies_of_two_withheld_messages_come_once_each_at_most",
    ),
    "L14": (
        f"{_LIFE}::test_a_context_is_every_workers",
        f"{_LIFE}::test_a_restart_loses_nothing_that_the_store_kept",
        f"{_LIFE}::test_a_stolen_store_tells_nothing",
    ),
    "N01": (
        f"{_TICKETS}::test_an_ap_req_serves_one_message",
        f"{_TICKETS}::test_of_many_at_once_one_is_accepted",
        f"{_CALLERS}::test_an_endorsing_ticket_comes_once",
    ),
    "N02": (f"{_TICKETS}::test_realms", f"{_TICKETS}::test_a_ticket_ends"),
    "N03": (
        f"{_TICKETS}::test_a_later_message_is_its_holders",
        f"{_TICKETS}::test_a_name_ends_with_its_ticket",
    ),
    "N05": (f"{_TICKETS}::test_no_password_is_proven_by_a_kdc",),
    "O06": (f"{_LEAKS}::test_reference_parameters_are_not_echoed",),
    "O07": (f"{_LEAKS}::test_reference_parameters_are_not_echoed",),
    "P01": (_UNIFORM, f"{_SERVER}::test_security_refusals_answer_one_and_the_same"),
    "P02": (_SILENT,),
    "P03": (_SILENT, "unit/server/test_server_http.py::test_status_and_no_echo"),
    "P04": (
        f"{_LEAKS}::test_details_are_bounded",
        f"{_SERVER}::test_the_line_of_a_refusal_is_one_line_whatever_the_peer_wrote",
    ),
    "P05": (
        f"{_LEAKS}::test_no_error_tells_a_password_or_a_plaintext",
        f"{_LEAKS}::test_keys_and_secrets_do_not_show",
        f"{_SERVER}::test_payloads_are_never_logged",
    ),
    "P06": (
        f"{_HOLES}::test_exceptions_leave_spyne_and_not_us",
        f"{_ANY}::test_any_bytes_raise_only_our_errors",
    ),
    "P07": (_WORST,),
    "P08": (
        f"{_LEAKS}::test_nothing_is_asked_of_the_user_store_before_the_message_holds",
        f"{_JUDGE}::test_roles_are_checked_last_but_before_anything_is_remembered",
    ),
    "P09": (
        f"{_FINDINGS}::test_a_client_that_no_reply_can_be_encrypted_to_is_refused_before_the_service_is_called",
    ),
    "P10": (f"{_SERVER}::test_health", f"{_SERVER}::test_metrics_are_published_only_where_configured"),
}

_NO_SAML = "no service takes SAML tokens: an assertion is an unknown child of the header (M01)"

ELSEWHERE: dict[str, str] = {
    "B10": "attachments are not supported: MIME is refused by the server (B07)",
    "E13": "XPath references are refused altogether (E12), so no prefix of one can be bound anew",
    "E20": "attachments are not supported: MIME is refused by the server (B07)",
    "H03": "the same as I12",
    "O03": "the same as C01",
    **{f"M{number:02}": _NO_SAML for number in range(2, 16) if number not in {4, 13}},
}
"""Entries that cannot apply, and why."""
