(* The paper's theorem, and why the classes are what they are.

   Luo, Li, Zheng, Liu, Wang, He: Your Transformer May Not be as Powerful as You Expect, NeurIPS 2022.
   Relative encodings that act inside the softmax leave attention rows that sum to 1, so identical
   tokens give identical outputs at any depth and width ([identical_tokens]).  Multiplying the softmax
   output by C removes that limit ([C_separates]); so does a sink ([sink_separates]), and a value term
   ([value_term_separates]).  The other counterexamples show that no class may be swapped for a
   coarser one. *)

Require Import List Arith Lia Permutation Reals Lra.
Require Import Urpe.Views Urpe.Networks Urpe.Sums Urpe.Heads Urpe.Floors.
Import ListNotations.
Open Scope R_scope.

(* ---- identical tokens --------------------------------------------------------------------------------- *)

(* Attention head: score_ij is any function of the two states and of i and j, so B may be any matrix,
   Toeplitz or not, dependent on content or not.  Values are any function of the key's state. *)
Record attention_head (State : Type) : Type := {
  score : State -> State -> nat * nat -> R;
  value : State -> nat -> R;
  head_width : nat }.

(* Block: any number of heads, of any width, then any function of the own state and the heads' outputs
   (output matrix, residual, norm, feed-forward network).  The mask says which positions i sees. *)
Record block (State : Type) : Type := {
  mask : nat -> list nat;
  heads : list (attention_head State);
  rest : State -> list (list R) -> State }.

Arguments score {State}. Arguments value {State}. Arguments head_width {State}.
Arguments mask {State}. Arguments heads {State}. Arguments rest {State}.

Section Transformer.

Context {State : Type}.

Definition sight_of (b : block State) : sight :=
  {| number := fun _ => 0%nat; sees := fun i : nat => map (fun j => (j, (i, j))) (mask b i) |}.

Definition layer_of (b : block State) : layer := fun h n xs =>
  rest b h (map (fun hd => hd h n xs)
    (map (fun a => softmax (fun q _ k ij => score a q k ij) (value a) (head_width a)) (heads b))).

Definition transformer (blocks : list (block State)) (x : nat -> State) : nat -> State :=
  states x (map (fun b => (sight_of b, layer_of b)) blocks).

Lemma layer_of_class : forall b, promise (class_of normalised one_colour) (layer_of b).
Proof.
  intros b. apply promise_of_heads. apply Forall_forall. intros hd Hin. apply in_map_iff in Hin.
  destruct Hin as (a & <- & _). apply softmax_class.
Qed.

(* The negative result of the paper, for every depth, width, number of heads, mask and encoding inside the
   softmax: if all tokens are equal, so are all outputs. *)
Theorem identical_tokens : forall (blocks : list (block State)) (token : State),
  (forall b i, In b blocks -> mask b i <> []) ->
  forall i j, transformer blocks (fun _ => token) i = transformer blocks (fun _ => token) j.
Proof.
  intros blocks token Hmask i j. apply identical_states; [ reflexivity | ].
  apply Forall_map, Forall_forall. intros b Hb. simpl. split.
  - intros p. now apply map_not_nil, Hmask.
  - exists normalised. apply layer_of_class.
Qed.

(* So its mean square error on n equal tokens is at least the variance of the target over positions. *)
Corollary identical_floor : forall blocks (token : State) n d (read : State -> nat -> R) (y : nat -> nat -> R),
  (forall b i, In b blocks -> mask b i <> []) ->
  mse_floor (fun _ => 0%nat) (seq 0 n) d y
  <= mse (seq 0 n) d y (fun i => read (transformer blocks (fun _ => token) i)).
Proof.
  intros. apply mse_floor_holds. intros p q _ _ _.
  now rewrite (identical_tokens blocks token H p q).
Qed.

End Transformer.

(* ---- what separates identical tokens -------------------------------------------------------------------- *)

(* Position i of n equal tokens: all positions, with the offset j - i as relation. *)
Definition all_equal (n i : nat) : list (unit * Z) :=
  map (fun j => (tt, (Z.of_nat j - Z.of_nat i)%Z)) (seq 0 n).
Definition causal_equal (i : nat) : list (unit * Z) :=
  map (fun j => (tt, (Z.of_nat j - Z.of_nat i)%Z)) (seq 0 (S i)).

Lemma all_equal_shows : forall n i, (0 < n)%nat -> shows_only tt (all_equal n i).
Proof.
  intros n i Hn. split.
  - apply map_not_nil. destruct n; [ lia | discriminate ].
  - apply Forall_map, Forall_forall. reflexivity.
Qed.

(* Two views of one state on which a head differs: its class has no clause of one colour. *)
Lemma no_one_colour : forall k {Rel Out} (L : unit -> nat -> list (unit * Rel) -> Out) n xs m ys,
  shows_only tt xs -> shows_only tt ys -> L tt n xs <> L tt m ys -> ~ promise (class_of k one_colour) L.
Proof.
  intros k Rel Out L n xs m ys Hx Hy Hne H. apply Hne, H. right. exists tt. auto.
Qed.

Lemma one_channel : forall a b : R, [a] = [b] -> a = b.
Proof. intros a b H. exact (f_equal (hd 0) H). Qed.

(* URPE with W_Q = 0, B = 0, c = 1 for j <= i, value 1: the row sums are i/n (from i = 1). *)
Definition urpe_position : unit -> nat -> list (unit * Z) -> list R :=
  softmax_C (fun _ _ _ _ => 0) (fun r => if Z_le_dec r 0 then 1 else 0) (fun _ _ _ => 1) 1.

Lemma count_up_to : forall n i, (i < n)%nat ->
  sum (fun j => if Z_le_dec (Z.of_nat j - Z.of_nat i) 0 then 1 else 0) (seq 0 n) = INR (S i).
Proof.
  intros n i Hi. replace n with (S i + (n - S i))%nat by lia.
  rewrite seq_app, sum_app.
  rewrite (sum_ext _ (fun _ => 1)), sum_const, seq_length.
  - rewrite sum_zero; [ lra | ]. intros j Hj. apply in_seq in Hj. destruct (Z_le_dec _ 0); [ lia | auto ].
  - intros j Hj. apply in_seq in Hj. destruct (Z_le_dec _ 0); [ auto | lia ].
Qed.

Lemma urpe_position_value : forall n i, (i < n)%nat ->
  urpe_position tt 0 (all_equal n i) = [INR (S i) / INR n].
Proof.
  intros n i Hi. unfold urpe_position, softmax_C, ratio, per_channel; simpl map. f_equal.
  rewrite ratio_eq. unfold all_equal. rewrite !sum_map. cbn [fst snd]. f_equal.
  - rewrite <- (count_up_to n i Hi). apply sum_ext. intros j _. rewrite exp_0. destruct (Z_le_dec _ 0); ring.
  - rewrite (sum_ext _ (fun _ => 1)) by (intros; apply exp_0). rewrite sum_const, seq_length. ring.
Qed.

Theorem C_separates : forall n i j, (i < n)%nat -> (j < n)%nat -> i <> j ->
  urpe_position tt 0 (all_equal n i) <> urpe_position tt 0 (all_equal n j).
Proof.
  intros n i j Hi Hj Hij. rewrite !urpe_position_value by auto. intros E. apply one_channel in E. apply Hij.
  assert (Hn : 0 < INR n) by (apply lt_0_INR; lia).
  apply (Rmult_eq_compat_r (INR n)) in E. unfold Rdiv in E.
  rewrite !Rmult_assoc, Rinv_l, !Rmult_1_r in E by lra. apply INR_eq in E. lia.
Qed.

Corollary C_has_no_clause : forall k, ~ promise (class_of k one_colour) urpe_position.
Proof.
  intros k. apply (no_one_colour k urpe_position 0 (all_equal 2 0) 0 (all_equal 2 1)).
  - apply all_equal_shows. lia.
  - apply all_equal_shows. lia.
  - apply C_separates; lia.
Qed.

(* Softmax with a sink at 0 under a causal mask, no encoding, no C: row i gives i/(1 + i). *)
Definition sink_position : unit -> nat -> list (unit * Z) -> list R :=
  sink (fun _ _ _ _ => 0) (fun _ => 0) (fun _ => 0) (fun _ _ _ => 1) 1.

Lemma sink_position_value : forall xs, sink_position tt 0 xs = [INR (length xs) / (1 + INR (length xs))].
Proof.
  intros xs. unfold sink_position, sink, per_channel; simpl map. f_equal. rewrite exp_0.
  rewrite (sum_ext _ (fun _ => 1)) by (intros; ring). rewrite !sum_const.
  unfold Rdiv. f_equal; [ ring | f_equal; ring ].
Qed.

Lemma fraction_injective : forall n m, INR n / (1 + INR n) = INR m / (1 + INR m) -> n = m.
Proof.
  intros n m E. assert (0 <= INR n) by apply pos_INR. assert (0 <= INR m) by apply pos_INR.
  apply INR_eq. apply (Rmult_eq_compat_r ((1 + INR n) * (1 + INR m))) in E.
  replace (INR n / (1 + INR n) * ((1 + INR n) * (1 + INR m))) with (INR n * (1 + INR m)) in E by (field; lra).
  replace (INR m / (1 + INR m) * ((1 + INR n) * (1 + INR m))) with (INR m * (1 + INR n)) in E by (field; lra).
  lra.
Qed.

Theorem sink_separates : forall i j, i <> j ->
  sink_position tt 0 (causal_equal i) <> sink_position tt 0 (causal_equal j).
Proof.
  intros i j Hij. rewrite !sink_position_value. intros E. apply one_channel, fraction_injective in E.
  unfold causal_equal in E. rewrite !map_length, !seq_length in E. lia.
Qed.

Corollary sink_has_no_clause : forall k, ~ promise (class_of k one_colour) sink_position.
Proof.
  intros k. apply (no_one_colour k sink_position 0 (causal_equal 0) 0 (causal_equal 1)).
  - split; [ discriminate | ]. repeat constructor.
  - split; [ discriminate | ]. repeat constructor.
  - apply sink_separates. lia.
Qed.

(* A value term (Shaw): softmax weights, values that depend on the relation. *)
Definition shaw_position : unit -> nat -> list (unit * Z) -> list R :=
  softmax_C (fun _ _ _ _ => 0) (fun _ => 1) (fun _ r _ => IZR r) 1.

Theorem value_term_separates : forall k, ~ promise (class_of k one_colour) shaw_position.
Proof.
  intros k. apply (no_one_colour k shaw_position 0 [(tt, 0%Z)] 0 [(tt, 1%Z)]).
  - split; [ discriminate | ]. repeat constructor.
  - split; [ discriminate | ]. repeat constructor.
  - unfold shaw_position, softmax_C, ratio, per_channel. simpl. rewrite exp_0. intros [= E]. lra.
Qed.

(* ---- no class for a coarser one ---------------------------------------------------------------------------- *)

(* Rows of what is counted are not scale-free: seeing everything twice changes a sink's output. *)
Theorem sink_is_not_normalised : forall c, ~ promise (class_of normalised c) sink_position.
Proof.
  intros c H. apply promise_drop_clause in H. apply normalised_promise in H. destruct H as [_ H].
  specialize (H tt 0%nat [(tt, 0%Z)] 2%nat ltac:(lia)). rewrite !sink_position_value in H.
  injection H as E. simpl in E. lra.
Qed.

(* Nor is a ratio of sums with a constant in its denominator. *)
Theorem ratio_plus_is_not_normalised : forall epsilon, 0 < epsilon -> forall c,
  ~ promise (class_of normalised c)
            (ratio_plus (State := unit) (Rel := Z) epsilon (fun _ _ _ => 1) (fun _ _ _ => 1) (fun _ _ _ => 1) 1).
Proof.
  intros epsilon He c H. apply promise_drop_clause in H. apply normalised_promise in H. destruct H as [_ H].
  specialize (H tt 0%nat [(tt, 0%Z)] 2%nat (Nat.lt_0_succ 1)). unfold ratio_plus, per_channel in H. simpl in H.
  injection H as E. apply (Rmult_eq_compat_r ((1 + epsilon) * (2 + epsilon))) in E.
  field_simplify in E; lra.
Qed.

(* Two keys with logits 0 and 1/2, value 1 on the second: sparsemax gives 3/4; both twice: 1. *)
Definition two_logits : list (bool * Z) := [(false, 0%Z); (true, 0%Z)].
Definition logit (x : bool * Z) : R := if fst x then 1 / 2 else 0.
Definition sparse_mass (xs : list (bool * Z)) (mass : R) : Prop :=
  exists tau, sums_to_one (fun s => Rmax s 0) (map logit xs) tau /\
              sum (fun x => Rmax (logit x - tau) 0 * (if fst x then 1 else 0)) xs = mass.

Lemma Rmax_pos : forall x, 0 <= x -> Rmax x 0 = x.
Proof. intros. now apply Rmax_left. Qed.
Lemma Rmax_neg : forall x, x <= 0 -> Rmax x 0 = 0.
Proof. intros. now apply Rmax_right. Qed.

Theorem sparsemax_is_not_normalised : sparse_mass two_logits (3 / 4) /\ sparse_mass (times 2 two_logits) 1.
Proof.
  split.
  - exists (- (1 / 4)). unfold sums_to_one, two_logits, logit; simpl. rewrite !Rmax_pos by lra. split; lra.
  - exists 0. unfold sums_to_one, two_logits, logit; simpl.
    rewrite (Rmax_neg (0 - 0)), (Rmax_pos (1 / 2 - 0)) by lra. split; lra.
Qed.

(* SSMax with temperature log m: two keys with scores 0 and 1 against both twice. *)
Theorem ssmax_is_not_normalised : forall c,
  ~ promise (class_of normalised c)
            (ssmax (State := bool) (Rel := Z) (fun m => ln (INR m))
                   (fun _ u _ => if u then 1 else 0) (fun u _ => if u then 1 else 0) 1).
Proof.
  intros c H. apply promise_drop_clause in H. apply normalised_promise in H. destruct H as [_ H].
  specialize (H true 0%nat two_logits 2%nat ltac:(lia)).
  unfold ssmax, softmax, softmax_C, ratio, per_channel, two_logits in H.
  simpl map in H. injection H as E. simpl in E.
  rewrite !Rmult_0_r, !Rmult_1_r, exp_0, !exp_ln in E by lra. lra.
Qed.

(* An empty row is not a row of one colour: without that condition the clause would be false for plain
   softmax, whose empty rows are 0. *)
Theorem empty_rows_separate :
  softmax (State := unit) (Rel := Z) (fun _ _ _ _ => 0) (fun _ _ => 1) 1 tt 0%nat []
  <> softmax (fun _ _ _ _ => 0) (fun _ _ => 1) 1 tt 0%nat [(tt, 0%Z)].
Proof.
  rewrite (softmax_of_one _ _ _ _ _ [(tt, 0%Z)] tt).
  - unfold softmax, softmax_C, ratio, per_channel. simpl. intros [= E]. lra.
  - split; [ discriminate | ]. repeat constructor.
Qed.
