(* The theorems, and what they rest on: [Print Assumptions] lists every axiom that the proofs of a group
   use.  prove.sh reads the lists and fails if anything but the axioms of the standard library's real
   numbers is in one; a group without real numbers must have none.  README.md says what each theorem is
   about. *)

Require Import Urpe.Networks Urpe.Heads Urpe.HeadsInOrder Urpe.Floors Urpe.Leak Urpe.Paper
  Urpe.Checker Urpe.Figures Urpe.Converse.

(* 1. Stable partitions, k rounds, rows of one colour; the checker of groups.  No real numbers. *)
Definition networks := (
  @stable_sound, @rounds_sound, @fewer_layers_sound, @identical_states, @check_groups_sound).
Print Assumptions networks.

(* 2. Heads and their classes. *)
Definition heads := (
  @promise_of_heads, @softmax_class, @softmax_C_normalised, @softmax_additive_class,
  @softmax_values_class, @softmax_ratios_class, @softmax_free_class, @softmax_powers_class,
  @linear_class, @linear_same_class, @mean_over_visible_class, @softpick_class, @elastic_class,
  @sink_class, @weighted_sum_class, @sigmoid_class, @by_length_class, @ratio_plus_class,
  @over_number_class, @ssmax_class, @entmax_class, @of_sums_counted, @ordered_promise,
  @softmax_of_row_class, @softmax_of_row_values_class, @one_colour_values, @stick_breaking_class, @unique_hard_class, @average_hard_class).
Print Assumptions heads.

(* 3. Floors, and what holds whatever the arithmetic. *)
Definition floors := (
  @mse_floor_holds, @rms_floor_holds, @mse_floor_attained, @sup_floor_holds,
  @accuracy_ceiling_holds, @leak_rms, @leak_sup).
Print Assumptions floors.

(* 4. The paper's theorem. *)
Definition paper := (
  @identical_tokens, @identical_floor).
Print Assumptions paper.

(* 5. What separates identical tokens, and why no class may be swapped for a coarser one. *)
Definition separations := (
  @C_separates, @C_has_no_clause, @sink_separates, @sink_has_no_clause, @value_term_separates,
  @sink_is_not_normalised, @ratio_plus_is_not_normalised, @sparsemax_is_not_normalised,
  @empty_rows_separate).
Print Assumptions separations.

(* 6. The checker of figures. *)
Definition checker := (
  @mse_sound, @sup_sound, @right_sound).
Print Assumptions checker.

(* 7. The converse. *)
Definition converse := (
  @toeplitz_complete, @uniform_complete, @urpe_complete, @sink_complete, @rounds_exact,
  @floor_is_minimum, @toeplitz_step, @uniform_step, @urpe_step, @sink_step).
Print Assumptions converse.

(* What speaks of logarithms: the library proves theirs with excluded middle. *)
Definition logarithms := (
  @entmax_ramp_is_ramp, @cross_entropy_floor_holds, @ssmax_is_not_normalised, @cross_entropy_sound).
Print Assumptions logarithms.
