(* Views: what a row of attention sees, and when two views count as the same.

   A view is a list of (thing, relation).  In a network the things are states; in colour refinement
   they are colours.  Every notion below is stated for both at once, and survives when the things are
   replaced by functions of them ([alike_map], [one_thing_map], [product_map]).  That is all that
   soundness needs.  No real number occurs in this file. *)

Require Import List Arith Lia Permutation.
Import ListNotations.

(* Everything in [xs], [k] times. *)
Fixpoint times {A} (k : nat) (xs : list A) : list A :=
  match k with
  | 0 => []
  | S k' => xs ++ times k' xs
  end.

(* Two lists whose things first occur in the same order: a later repetition of a thing that was
   there before may come or go. *)
Inductive same_first {A} : list A -> list A -> Prop :=
| first_refl xs : same_first xs xs
| first_sym xs ys : same_first xs ys -> same_first ys xs
| first_trans xs ys zs : same_first xs ys -> same_first ys zs -> same_first xs zs
| first_drop x us vs ws : same_first (us ++ x :: vs ++ x :: ws) (us ++ x :: vs ++ ws).

(* The kinds of layers, by what they promise not to notice.  The number is one that the row may use
   besides what it sees: its length, the length of the whole sample, a temperature. *)
Inductive kind : Type :=
| ordered      (* nothing is promised *)
| counted      (* the order of what is seen does not matter *)
| normalised   (* nor does seeing everything k times *)
| per_number   (* the order does not matter, nor does seeing everything k times with k times the number *)
| first.       (* only the order of first occurrences matters *)

(* The views that a layer of kind [k] does not tell apart: a number and a list each. *)
Definition alike (k : kind) {A} (n : nat) (xs : list A) (m : nat) (ys : list A) : Prop :=
  match k with
  | ordered => n = m /\ xs = ys
  | counted => n = m /\ Permutation xs ys
  | normalised => n = m /\ exists a b, 0 < a /\ 0 < b /\ Permutation (times a xs) (times b ys)
  | per_number => exists a b, 0 < a /\ 0 < b /\ a * n = b * m /\ Permutation (times a xs) (times b ys)
  | first => n = m /\ same_first xs ys
  end.

(* Both views show the thing [u] and no other, whatever the relations, and neither is empty.  (A row
   that sees nothing gives 0, and is not like a row that sees u: without the condition the clause of
   one colour would be false.) *)
Definition shows_only {T Rel} (u : T) (xs : list (T * Rel)) : Prop :=
  xs <> [] /\ Forall (fun x => fst x = u) xs.

Definition one_thing {T Rel} (xs ys : list (T * Rel)) : Prop :=
  exists u, shows_only u xs /\ shows_only u ys.

(* Both views are products with the same things: every thing is seen under the same relations, equally
   often.  [one_thing] is the case of one thing. *)
Definition is_product {T Rel} (ts : list T) (xs : list (T * Rel)) : Prop :=
  exists rs, rs <> [] /\ Permutation xs (list_prod ts rs).

Definition product {T Rel} (xs ys : list (T * Rel)) : Prop :=
  exists ts, ts <> [] /\ is_product ts xs /\ is_product ts ys.

(* What is seen may have, beside its state, something of its relation that its weight has nothing to do
   with (a row of C): its *thing* is then (state, value of the relation). *)
Definition valued {T Rel V} (v : Rel -> V) (x : T * Rel) : (T * V) * Rel := ((fst x, v (snd x)), snd x).

Definition one_value {T Rel V} (v : Rel -> V) (xs ys : list (T * Rel)) : Prop :=
  one_thing (map (valued v) xs) (map (valued v) ys).

(* Two views side by side: for all that one shows and all that the other shows, their things, and by
   [code] the product of the weights of their relations.  [code r s] may be {r, s}, unordered, where
   weights of relations are free, or e(r) + e(s) where they are powers t^e(r). *)
Definition thing {T Rel V} (v : Rel -> V) (x : T * Rel) : T * V := (fst x, v (snd x)).

Definition beside {T Rel V X} (v : Rel -> V) (code : Rel -> Rel -> X) (p : (T * Rel) * (T * Rel))
  : (T * V) * (T * V) * X := (thing v (fst p), thing v (snd p), code (snd (fst p)) (snd (snd p))).

Definition duel {T Rel V X} (v : Rel -> V) (code : Rel -> Rel -> X) (xs ys : list (T * Rel))
  : list ((T * V) * (T * V) * X) := map (beside v code) (list_prod xs ys).

Definition exchange {A X} (z : A * A * X) : A * A * X := (snd (fst z), fst (fst z), snd z).

(* With l_c the polynomial of the weights under which thing c is seen: l_c l'_d = l_d l'_c for all c and
   d.  The coefficient of a monomial there is how often (c, d, monomial) is in the duel. *)
Definition same_ratios {T Rel V X} (v : Rel -> V) (code : Rel -> Rel -> X) (xs ys : list (T * Rel))
  : Prop := xs <> [] /\ ys <> [] /\ Permutation (duel v code xs ys) (map exchange (duel v code xs ys)).

(* ---- lists seen several times ------------------------------------------------------------------ *)

Lemma times_1 : forall {A} (xs : list A), times 1 xs = xs.
Proof. intros. simpl. apply app_nil_r. Qed.

Lemma times_map : forall {A B} (f : A -> B) k xs, map f (times k xs) = times k (map f xs).
Proof. induction k; intros; simpl; [ reflexivity | now rewrite map_app, IHk ]. Qed.

Lemma times_length : forall {A} k (xs : list A), length (times k xs) = k * length xs.
Proof. induction k; intros; simpl; [ reflexivity | now rewrite app_length, IHk ]. Qed.

Lemma times_permutation : forall {A} k (xs ys : list A),
  Permutation xs ys -> Permutation (times k xs) (times k ys).
Proof. induction k; intros; simpl; [ constructor | now apply Permutation_app; auto ]. Qed.

Lemma times_add : forall {A} k l (xs : list A), times (k + l) xs = times k xs ++ times l xs.
Proof. induction k; intros; simpl; [ reflexivity | now rewrite IHk, app_assoc ]. Qed.

Lemma times_times : forall {A} k l (xs : list A), times k (times l xs) = times (k * l) xs.
Proof. induction k; intros; simpl; [ reflexivity | now rewrite IHk, times_add ]. Qed.

Lemma times_count : forall {A} (dec : forall x y : A, {x = y} + {x <> y}) k xs x,
  count_occ dec (times k xs) x = k * count_occ dec xs x.
Proof. induction k; intros; simpl; [ reflexivity | now rewrite count_occ_app, IHk ]. Qed.

Lemma times_Forall : forall {A} (P : A -> Prop) k xs, Forall P xs -> Forall P (times k xs).
Proof. induction k; intros; simpl; [ constructor | apply Forall_app; auto ]. Qed.

Lemma times_nil : forall {A} k, @times A k [] = [].
Proof. induction k; simpl; auto. Qed.

Lemma times_app_permutation : forall {A} k (xs ys : list A),
  Permutation (times k (xs ++ ys)) (times k xs ++ times k ys).
Proof.
  induction k; intros; simpl; [ constructor | ].
  rewrite IHk, <- !app_assoc. apply Permutation_app_head.
  rewrite !app_assoc. apply Permutation_app_tail, Permutation_app_comm.
Qed.

(* Multiples can be read off the counts: M(xs)/|M(xs)| = M(ys)/|M(ys)|. *)
Lemma multiples_by_count : forall {A} (dec : forall x y : A, {x = y} + {x <> y}) a b xs ys,
  (forall x, a * count_occ dec xs x = b * count_occ dec ys x) ->
  Permutation (times a xs) (times b ys).
Proof.
  intros A dec a b xs ys H. apply (Permutation_count_occ dec).
  intros x. rewrite !times_count. apply H.
Qed.

(* ---- everything survives a map ------------------------------------------------------------------ *)

Lemma same_first_map : forall {A B} (f : A -> B) xs ys,
  same_first xs ys -> same_first (map f xs) (map f ys).
Proof.
  induction 1.
  - apply first_refl.
  - now apply first_sym.
  - now apply first_trans with (map f ys).
  - rewrite !map_app. simpl. rewrite !map_app. simpl. apply first_drop.
Qed.

Lemma alike_map : forall k {A B} (f : A -> B) n xs m ys,
  alike k n xs m ys -> alike k n (map f xs) m (map f ys).
Proof.
  intros k A B f n xs m ys. destruct k; simpl.
  - now intros [-> ->].
  - intros [-> H]. split; auto. now apply Permutation_map.
  - intros [-> (a & b & Ha & Hb & H)]. split; auto. exists a, b. repeat split; auto.
    rewrite <- !times_map. now apply Permutation_map.
  - intros (a & b & Ha & Hb & Hn & H). exists a, b. repeat split; auto.
    rewrite <- !times_map. now apply Permutation_map.
  - intros [-> H]. split; auto. now apply same_first_map.
Qed.

Definition on_thing {T U Rel} (f : T -> U) (x : T * Rel) : U * Rel := (f (fst x), snd x).

Lemma map_not_nil : forall {A B} (f : A -> B) xs, xs <> [] -> map f xs <> [].
Proof. intros A B f [|x xs] H; simpl; congruence. Qed.

Lemma shows_only_map : forall {T U Rel} (f : T -> U) u (xs : list (T * Rel)),
  shows_only u xs -> shows_only (f u) (map (on_thing f) xs).
Proof.
  intros T U Rel f u xs [Hne H]. split; [ now apply map_not_nil | ].
  apply Forall_map, Forall_impl with (2 := H). intros [t r]; simpl. congruence.
Qed.

Lemma one_thing_map : forall {T U Rel} (f : T -> U) (xs ys : list (T * Rel)),
  one_thing xs ys -> one_thing (map (on_thing f) xs) (map (on_thing f) ys).
Proof. intros T U Rel f xs ys (u & Hx & Hy). exists (f u). auto using shows_only_map. Qed.

Lemma list_prod_map : forall {T U Rel} (f : T -> U) ts (rs : list Rel),
  map (on_thing f) (list_prod ts rs) = list_prod (map f ts) rs.
Proof.
  induction ts; intros; simpl; auto.
  rewrite map_app, IHts, map_map. reflexivity.
Qed.

Lemma is_product_map : forall {T U Rel} (f : T -> U) ts (xs : list (T * Rel)),
  is_product ts xs -> is_product (map f ts) (map (on_thing f) xs).
Proof.
  intros T U Rel f ts xs (rs & Hne & H). exists rs. split; auto.
  rewrite <- list_prod_map. now apply Permutation_map.
Qed.

Lemma product_map : forall {T U Rel} (f : T -> U) (xs ys : list (T * Rel)),
  product xs ys -> product (map (on_thing f) xs) (map (on_thing f) ys).
Proof.
  intros T U Rel f xs ys (ts & Hne & Hx & Hy). exists (map f ts).
  auto using is_product_map, map_not_nil.
Qed.

Lemma one_value_map : forall {T U Rel V} (f : T -> U) (v : Rel -> V) (xs ys : list (T * Rel)),
  one_value v xs ys -> one_value v (map (on_thing f) xs) (map (on_thing f) ys).
Proof.
  intros T U Rel V f v xs ys H. unfold one_value in *.
  assert (E : forall zs : list (T * Rel), map (valued v) (map (on_thing f) zs)
    = map (on_thing (fun tv => (f (fst tv), snd tv))) (map (valued v) zs)).
  { intros zs. rewrite !map_map. now apply map_ext. }
  rewrite !E. now apply one_thing_map.
Qed.

Lemma list_prod_map_both : forall {A B} (f : A -> B) (xs ys : list A),
  list_prod (map f xs) (map f ys) = map (fun p => (f (fst p), f (snd p))) (list_prod xs ys).
Proof.
  induction xs as [| x xs IH]; intros; simpl; auto.
  rewrite map_app, IH, !map_map. reflexivity.
Qed.

Lemma same_ratios_map : forall {T U Rel V X} (f : T -> U) (v : Rel -> V) (code : Rel -> Rel -> X) xs ys,
  same_ratios v code xs ys -> same_ratios v code (map (on_thing f) xs) (map (on_thing f) ys).
Proof.
  intros T U Rel V X f v code xs ys (Hx & Hy & H).
  set (on := fun tv : T * V => (f (fst tv), snd tv)).
  set (both := fun z : (T * V) * (T * V) * X => (on (fst (fst z)), on (snd (fst z)), snd z)).
  assert (E : duel v code (map (on_thing f) xs) (map (on_thing f) ys) = map both (duel v code xs ys)).
  { unfold duel. rewrite list_prod_map_both, !map_map. now apply map_ext. }
  repeat split; auto using map_not_nil. rewrite E.
  replace (map exchange (map both (duel v code xs ys))) with (map both (map exchange (duel v code xs ys)))
    by (rewrite !map_map; now apply map_ext).
  now apply Permutation_map.
Qed.

(* ---- the kinds form a chain ---------------------------------------------------------------------- *)

Lemma alike_refl : forall k {A} n (xs : list A), alike k n xs n xs.
Proof.
  intros [] A n xs; simpl; auto using first_refl.
  - split; auto. exists 1, 1. auto.
  - exists 1, 1. auto.
Qed.

(* A view equal in order is equal in counts, and so on: what a kind does not notice, no kind that
   promises more notices. *)
Lemma ordered_alike : forall k {A} n (xs : list A) m ys,
  alike ordered n xs m ys -> alike k n xs m ys.
Proof. intros k A n xs m ys [-> ->]. apply alike_refl. Qed.

Lemma counted_normalised : forall {A} n (xs : list A) m ys,
  alike counted n xs m ys -> alike normalised n xs m ys.
Proof.
  intros A n xs m ys [-> H]. split; auto. exists 1, 1. rewrite !times_1. auto.
Qed.

Lemma counted_per_number : forall {A} n (xs : list A) m ys,
  alike counted n xs m ys -> alike per_number n xs m ys.
Proof.
  intros A n xs m ys [-> H]. exists 1, 1. rewrite !times_1. auto.
Qed.
