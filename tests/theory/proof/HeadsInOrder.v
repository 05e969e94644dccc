(* Heads that look along the row: weights that depend on the order of what is seen, and hard attention.

   A layer of kind *ordered* promises nothing, so every function of what is seen is in that class.
   What needs a proof is the clause of one colour, and hard attention's blindness to repetitions. *)

Require Import List Arith Lia Permutation Reals Lra.
Require Import Urpe.Views Urpe.Networks Urpe.Sums Urpe.Heads.
Import ListNotations.
Open Scope R_scope.

Section InOrder.

Context {State Rel : Type}.
Local Notation seen := (State * Rel)%type.

Lemma ordered_promise : forall {Out} (L : State -> nat -> list seen -> Out),
  promise (class_of ordered no_clause) L.
Proof. intros Out L h n xs m ys [[-> ->] | []]. reflexivity. Qed.

Lemma ordered_one_colour : forall {Out} (L : State -> nat -> list seen -> Out),
  stochastic L -> promise (class_of ordered one_colour) L.
Proof. intros. apply clause_promise; auto using ordered_promise. Qed.

(* ---- softmax of scores that depend on the whole row: FoX, CoPE, PaTH, selective attention ---------------- *)

(* The scores of a row, in order, are any function of the row. *)
Definition softmax_of_row (scores : State -> nat -> list seen -> list R) (value : State -> nat -> R) (d : nat)
  : State -> nat -> list seen -> list R :=
  fun h n xs =>
    let row := combine (scores h n xs) xs in
    per_channel d (fun ch =>
      sum (fun sx => exp (fst sx) * 1 * value (fst (snd sx)) ch / sum (fun sx => exp (fst sx)) row) row).

Theorem softmax_of_row_class : forall scores value d,
  (forall h n xs, length (scores h n xs) = length xs) ->
  promise (class_of ordered one_colour) (softmax_of_row scores value d).
Proof.
  intros scores value d Hlen. apply ordered_one_colour.
  exists (fun _ u => per_channel d (value u)). intros h n xs u Hu.
  unfold softmax_of_row; cbv zeta. apply per_channel_ext. intros ch.
  set (row := combine (scores h n xs) xs).
  assert (Hrow : row <> []).
  { intros E. apply (f_equal (@length _)) in E. unfold row in E.
    rewrite combine_length, Hlen, Nat.min_id in E. destruct xs; [ now apply (proj1 Hu) | discriminate ]. }
  rewrite ratio_eq.
  rewrite (sum_ext _ (fun sx => value u ch * exp (fst sx))).
  - rewrite sum_scale. field. apply Rgt_not_eq, sum_pos; auto. intros. apply exp_pos.
  - intros [s x] Hin. apply in_combine_r in Hin. simpl. rewrite (shows_only_in u xs x Hu Hin). ring.
Qed.

(* With C, whose value depends on v of the relation: rows of one thing give that thing's value. *)
Definition softmax_of_row_C (scores : State -> nat -> list seen -> list R) (v : Rel -> N) (c : N -> R)
    (value : State -> nat -> R) (d : nat) : State -> nat -> list seen -> list R :=
  fun h n xs =>
    let row := combine (scores h n xs) xs in
    per_channel d (fun ch => sum (fun sx =>
      exp (fst sx) * c (v (snd (snd sx))) * value (fst (snd sx)) ch / sum (fun sx => exp (fst sx)) row) row).

Theorem softmax_of_row_values_class : forall scores v c value d,
  (forall h n xs, length (scores h n xs) = length xs) ->
  promise (class_of ordered (values v)) (softmax_of_row_C scores v c value d).
Proof.
  intros scores v c value d Hlen h n xs m ys [Ha | (u & Hx & Hy)].
  - destruct Ha as [-> ->]. reflexivity.
  - assert (Hone : forall n zs, shows_only u (map (valued v) zs) ->
      softmax_of_row_C scores v c value d h n zs = per_channel d (fun ch => c (snd u) * value (fst u) ch)).
    { clear xs ys n m Hx Hy. intros n xs [Hne Hu]. unfold softmax_of_row_C; cbv zeta.
      apply per_channel_ext. intros ch. set (row := combine (scores h n xs) xs).
      assert (Hrow : row <> []).
      { intros E. apply (f_equal (@length _)) in E. unfold row in E.
        rewrite combine_length, Hlen, Nat.min_id in E. destruct xs; [ now apply Hne | discriminate ]. }
      rewrite ratio_eq.
      rewrite (sum_ext _ (fun sx => (c (snd u) * value (fst u) ch) * exp (fst sx))).
      - rewrite sum_scale. field. apply Rgt_not_eq, sum_pos; auto. intros. apply exp_pos.
      - intros [s x] Hin. apply in_combine_r in Hin. rewrite Forall_map, Forall_forall in Hu.
        specialize (Hu x Hin). unfold valued in Hu; simpl in Hu. subst u. simpl. ring. }
    now rewrite (Hone n xs Hx), (Hone m ys Hy).
Qed.

(* ---- stick-breaking ----------------------------------------------------------------------------------------- *)

(* The row is read backwards from the query.  Each key takes its share of what the nearer ones left;
   [rest] is what happens to the remainder. *)
Fixpoint sticks (share : seen -> R) (value : seen -> R) (rest : R -> R) (left : R) (xs : list seen) : R :=
  match xs with
  | [] => rest left
  | x :: far => left * share x * value x + sticks share value rest (left * (1 - share x)) far
  end.

(* The first of the row is the query itself; its own value takes the remainder, so rows sum to 1. *)
Definition stick_breaking (share : State -> State -> Rel -> R) (value : State -> nat -> R) (d : nat)
  : State -> nat -> list seen -> list R :=
  fun h _ xs => per_channel d (fun ch =>
    match xs with
    | [] => 0
    | own :: before =>
        sticks (fun x => share h (fst x) (snd x)) (fun x => value (fst x) ch)
               (fun left => left * value (fst own) ch) 1 before
    end).

Lemma sticks_of_equal : forall share value a xs left,
  (forall x, In x xs -> value x = a) -> sticks share value (fun left => left * a) left xs = left * a.
Proof.
  intros share value a. induction xs as [| x far IH]; intros left H; simpl; auto.
  rewrite IH by (intros; apply H; simpl; auto). rewrite (H x) by (simpl; auto). ring.
Qed.

Theorem stick_breaking_class : forall share value d,
  promise (class_of ordered one_colour) (stick_breaking share value d).
Proof.
  intros share value d. apply ordered_one_colour.
  exists (fun _ u => per_channel d (value u)). intros h n xs u Hu. unfold stick_breaking.
  apply per_channel_ext. intros ch. destruct xs as [| own before]; [ now destruct Hu | ].
  assert (H : forall x, In x (own :: before) -> fst x = u) by (intros; now apply shows_only_in with (1 := Hu)).
  rewrite (H own) by (simpl; auto). rewrite sticks_of_equal; [ ring | ].
  intros x Hx. rewrite H; simpl; auto.
Qed.

(* ---- hard attention ----------------------------------------------------------------------------------------- *)

Section Hard.

Variables (score : State -> State -> Rel -> R) (value : State -> nat -> R) (d : nat).

Definition scoring (h : State) (x : seen) : R := score h (fst x) (snd x).

(* The leftmost of the keys with the largest score.  For the rightmost, read the row backwards. *)
Definition better (h : State) (o o' : option seen) : option seen :=
  match o, o' with
  | None, _ => o'
  | _, None => o
  | Some x, Some y => if Rlt_dec (scoring h x) (scoring h y) then o' else o
  end.

Fixpoint leftmost (h : State) (xs : list seen) : option seen :=
  match xs with
  | [] => None
  | x :: rest => better h (Some x) (leftmost h rest)
  end.

Definition unique_hard : State -> nat -> list seen -> list R :=
  fun h _ xs =>
    match leftmost h xs with
    | None => per_channel d (fun _ => 0)
    | Some x => per_channel d (value (fst x))
    end.

Lemma better_assoc : forall h a b c, better h a (better h b c) = better h (better h a b) c.
Proof.
  intros h [x |] [y |] [z |]; simpl; auto.
  - destruct (Rlt_dec (scoring h y) (scoring h z)), (Rlt_dec (scoring h x) (scoring h y)); simpl;
      destruct (Rlt_dec (scoring h x) (scoring h z)); auto; simpl;
      destruct (Rlt_dec (scoring h y) (scoring h z)); auto;
      destruct (Rlt_dec (scoring h x) (scoring h y)); auto; lra.
  - destruct (Rlt_dec (scoring h x) (scoring h y)); auto.
Qed.

Lemma leftmost_app : forall h xs ys, leftmost h (xs ++ ys) = better h (leftmost h xs) (leftmost h ys).
Proof.
  induction xs as [| x xs IH]; intros ys; [ reflexivity | ].
  change (better h (Some x) (leftmost h (xs ++ ys))
          = better h (better h (Some x) (leftmost h xs)) (leftmost h ys)).
  now rewrite IH, better_assoc.
Qed.

(* A later repetition never wins. *)
Lemma better_repeated : forall h x o, better h (better h (Some x) o) (Some x) = better h (Some x) o.
Proof.
  intros h x [y |]; simpl.
  - destruct (Rlt_dec (scoring h x) (scoring h y)); simpl.
    + destruct (Rlt_dec (scoring h y) (scoring h x)); auto; lra.
    + destruct (Rlt_dec (scoring h x) (scoring h x)); auto; lra.
  - destruct (Rlt_dec (scoring h x) (scoring h x)); auto; lra.
Qed.

Lemma leftmost_first : forall h xs ys, same_first xs ys -> leftmost h xs = leftmost h ys.
Proof.
  induction 1 as [| | | x us vs ws]; auto; [ congruence | ].
  change (x :: vs ++ x :: ws) with ([x] ++ vs ++ [x] ++ ws). change (x :: vs ++ ws) with ([x] ++ vs ++ ws).
  rewrite !leftmost_app. f_equal. rewrite !better_assoc. f_equal.
  change (leftmost h [x]) with (Some x). apply better_repeated.
Qed.

Lemma leftmost_in : forall h xs x, leftmost h xs = Some x -> In x xs.
Proof.
  induction xs as [| y rest IH]; intros x H; [ discriminate | ].
  simpl in H. destruct (leftmost h rest) as [z |]; simpl in H.
  - destruct (Rlt_dec (scoring h y) (scoring h z)); injection H as <-; [ right; now apply IH | now left ].
  - injection H as <-. now left.
Qed.

Lemma leftmost_some : forall h xs, xs <> [] -> exists x, leftmost h xs = Some x.
Proof.
  intros h [| y rest] H; [ congruence | simpl ].
  destruct (leftmost h rest) as [z |]; simpl; [ destruct (Rlt_dec _ _) | ]; eauto.
Qed.

Theorem unique_hard_class : promise (class_of first one_colour) unique_hard.
Proof.
  apply clause_promise.
  - intros h n xs m ys [[-> H] | []]. unfold unique_hard. now rewrite (leftmost_first h xs ys H).
  - exists (fun _ u => per_channel d (value u)). intros h n xs u Hu. unfold unique_hard.
    destruct (leftmost_some h xs (proj1 Hu)) as (x & Hx). rewrite Hx.
    now rewrite (shows_only_in u xs x Hu (leftmost_in h xs x Hx)).
Qed.

(* Average-hard attention: uniform over all keys with the largest score. *)
Definition is_largest (h : State) (xs : list seen) (x : seen) : bool :=
  if Forall_dec (fun y => scoring h y <= scoring h x) (fun y => Rle_dec _ _) xs then true else false.

Definition average_hard : State -> nat -> list seen -> list R :=
  fun h _ xs =>
    let best := filter (is_largest h xs) xs in
    per_channel d (fun ch => sum (fun x => 1 * 1 * value (fst x) ch / sum (fun _ => 1) best) best).

Lemma is_largest_spec : forall h xs x,
  is_largest h xs x = true <-> forall y, In y xs -> scoring h y <= scoring h x.
Proof.
  intros h xs x. unfold is_largest. destruct (Forall_dec _ _ xs) as [H | H].
  - rewrite Forall_forall in H. tauto.
  - split; [ discriminate | ]. intros E. exfalso. apply H. now apply Forall_forall.
Qed.

(* Who is largest depends on which keys there are, not on how often. *)
Lemma is_largest_members : forall h xs ys x, (forall y, In y xs <-> In y ys) ->
  is_largest h xs x = is_largest h ys x.
Proof.
  intros h xs ys x H. apply Bool.eq_iff_eq_true. rewrite !is_largest_spec.
  split; intros E y Hy; apply E; now apply H.
Qed.

Lemma in_times : forall {A} k (xs : list A) x, (0 < k)%nat -> (In x (times k xs) <-> In x xs).
Proof.
  intros A [| k] xs x Hk; [ lia | ]. simpl. rewrite in_app_iff.
  enough (In x (times k xs) -> In x xs) by tauto.
  clear Hk. induction k; simpl; [ contradiction | rewrite in_app_iff; tauto ].
Qed.

Lemma filter_times : forall {A} (f : A -> bool) k xs, filter f (times k xs) = times k (filter f xs).
Proof. induction k; intros; simpl; auto. now rewrite filter_app, IHk. Qed.

Lemma filter_permutation : forall {A} (f : A -> bool) xs ys,
  Permutation xs ys -> Permutation (filter f xs) (filter f ys).
Proof.
  induction 1; simpl; auto.
  - destruct (f x); auto.
  - destruct (f x), (f y); auto. constructor.
  - etransitivity; eauto.
Qed.

Lemma some_largest : forall h xs, xs <> [] -> filter (is_largest h xs) xs <> [].
Proof.
  intros h xs Hne.
  assert (H : exists x, In x xs /\ forall y, In y xs -> scoring h y <= scoring h x).
  { induction xs as [| z rest IH]; [ congruence | ].
    destruct rest as [| w rest].
    - exists z. split; [ now left | ]. intros y [-> | []]. lra.
    - destruct IH as (x & Hin & Hx); [ discriminate | ].
      destruct (Rle_dec (scoring h z) (scoring h x)).
      + exists x. split; [ now right | ]. intros y [-> | Hy]; auto.
      + exists z. split; [ now left | ]. intros y [-> | Hy]; [ lra | ]. specialize (Hx y Hy). lra. }
  destruct H as (x & Hin & Hx). intros E.
  assert (Hf : In x (filter (is_largest h xs) xs)) by (apply filter_In; split; auto; now apply is_largest_spec).
  now rewrite E in Hf.
Qed.

Theorem average_hard_class : promise (class_of normalised one_colour) average_hard.
Proof.
  apply clause_promise; [ apply normalised_promise; split | ].
  - intros h n xs ys H. unfold average_hard; cbv zeta.
    assert (Hb : Permutation (filter (is_largest h xs) xs) (filter (is_largest h ys) ys)).
    { rewrite (filter_ext _ (is_largest h ys)); [ now apply filter_permutation | ].
      intros x. apply is_largest_members. intros y. split; apply Permutation_in; auto using Permutation_sym. }
    apply per_channel_ext. intros ch. rewrite !ratio_eq.
    now rewrite (sum_permutation _ _ _ Hb), (sum_permutation (fun _ => 1) _ _ Hb).
  - intros h n xs k Hk. unfold average_hard; cbv zeta.
    assert (Hb : filter (is_largest h (times k xs)) (times k xs) = times k (filter (is_largest h xs) xs)).
    { rewrite filter_times. f_equal. apply filter_ext. intros x.
      apply is_largest_members. intros y. now apply in_times. }
    rewrite Hb. set (best := filter (is_largest h xs) xs).
    apply per_channel_ext. intros ch. rewrite !ratio_eq, !sum_times.
    destruct best as [| b rest]; [ simpl; unfold Rdiv; ring | ].
    assert (0 < sum (fun _ => 1) (b :: rest)) by (apply sum_pos; [ discriminate | intros; lra ]).
    assert (0 < INR k) by now apply lt_0_INR. field. lra.
  - exists (fun _ u => per_channel d (value u)). intros h n xs u Hu. unfold average_hard; cbv zeta.
    apply per_channel_ext. intros ch.
    apply (average_of_equal (fun _ => 1) (fun x => value (fst x) ch)).
    + apply Rgt_not_eq, sum_pos; [ apply some_largest, Hu | intros; lra ].
    + intros x Hx. apply filter_In in Hx. now rewrite (shows_only_in u xs x Hu (proj1 Hx)).
Qed.

End Hard.

End InOrder.
