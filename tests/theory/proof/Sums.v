(* Finite sums of real numbers over lists. *)

Require Import List Arith Lia Permutation Reals Lra.
Require Import Urpe.Views.
Import ListNotations.
Open Scope R_scope.

Fixpoint sum {A} (f : A -> R) (xs : list A) : R :=
  match xs with
  | [] => 0
  | x :: rest => f x + sum f rest
  end.

Section Sums.

Context {A : Type}.
Implicit Types (xs ys : list A) (f g : A -> R).

Lemma sum_app : forall f xs ys, sum f (xs ++ ys) = sum f xs + sum f ys.
Proof. induction xs; intros; simpl; [ lra | rewrite IHxs; lra ]. Qed.

Lemma sum_permutation : forall f xs ys, Permutation xs ys -> sum f xs = sum f ys.
Proof. induction 1; simpl; lra. Qed.

Lemma sum_times : forall f k xs, sum f (times k xs) = INR k * sum f xs.
Proof.
  induction k; intros; [ simpl; lra | ].
  rewrite S_INR. simpl times. rewrite sum_app, IHk. lra.
Qed.

Lemma sum_ext : forall f g xs, (forall x, In x xs -> f x = g x) -> sum f xs = sum g xs.
Proof.
  induction xs; intros H; simpl; auto.
  rewrite H, IHxs; simpl; auto.
  intros. apply H. simpl. auto.
Qed.

Lemma sum_le : forall f g xs, (forall x, In x xs -> f x <= g x) -> sum f xs <= sum g xs.
Proof.
  induction xs; intros H; simpl; [ lra | ].
  apply Rplus_le_compat; [ apply H; simpl; auto | apply IHxs; intros; apply H; simpl; auto ].
Qed.

Lemma sum_plus : forall f g xs, sum (fun x => f x + g x) xs = sum f xs + sum g xs.
Proof. induction xs; simpl; lra. Qed.

Lemma sum_minus : forall f g xs, sum (fun x => f x - g x) xs = sum f xs - sum g xs.
Proof. induction xs; simpl; lra. Qed.

Lemma sum_scale : forall a f xs, sum (fun x => a * f x) xs = a * sum f xs.
Proof. induction xs; simpl; [ lra | rewrite IHxs; lra ]. Qed.

Lemma sum_const : forall a xs, sum (fun _ => a) xs = INR (length xs) * a.
Proof. induction xs; [ simpl; lra | ]. simpl length. rewrite S_INR. simpl sum. rewrite IHxs. lra. Qed.

Lemma sum_zero : forall f xs, (forall x, In x xs -> f x = 0) -> sum f xs = 0.
Proof.
  intros f xs H. rewrite (sum_ext f (fun _ => 0) xs H), sum_const. lra.
Qed.

Lemma sum_nonneg : forall f xs, (forall x, In x xs -> 0 <= f x) -> 0 <= sum f xs.
Proof.
  intros f xs H. replace 0 with (sum (fun _ : A => 0) xs) by (rewrite sum_const; lra). now apply sum_le.
Qed.

Lemma sum_term_le : forall f xs x, In x xs -> (forall y, In y xs -> 0 <= f y) -> f x <= sum f xs.
Proof.
  induction xs as [| z xs IH]; intros x Hin H; [ contradiction | simpl ].
  assert (0 <= f z) by (apply H; simpl; auto).
  assert (0 <= sum f xs) by (apply sum_nonneg; intros; apply H; simpl; auto).
  destruct Hin as [-> | Hin]; [ lra | ]. specialize (IH x Hin (fun y Hy => H y (or_intror Hy))). lra.
Qed.

Lemma sum_pos : forall f xs, xs <> [] -> (forall x, In x xs -> 0 < f x) -> 0 < sum f xs.
Proof.
  intros f [| x xs] Hne H; [ congruence | simpl ].
  assert (0 < f x) by (apply H; simpl; auto).
  assert (0 <= sum f xs) by (apply sum_nonneg; intros; apply Rlt_le, H; simpl; auto). lra.
Qed.

Lemma sum_filter : forall f (keep : A -> bool) xs,
  sum f (filter keep xs) = sum (fun x => if keep x then f x else 0) xs.
Proof. induction xs; simpl; auto. destruct (keep a); simpl; rewrite IHxs; lra. Qed.

(* The term of one place, when the others are 0. *)
Lemma sum_single : forall f xs x, NoDup xs -> In x xs -> (forall y, In y xs -> y <> x -> f y = 0) ->
  sum f xs = f x.
Proof.
  induction xs as [| z xs IH]; intros x Hnd Hin H; [ contradiction | ].
  inversion Hnd; subst. simpl. destruct Hin as [-> | Hin].
  - rewrite (sum_zero f xs); [ lra | ]. intros y Hy. apply H; [ now right | congruence ].
  - rewrite (IH x); auto; [ | intros; apply H; simpl; auto ].
    rewrite (H z); [ lra | now left | congruence ].
Qed.

End Sums.

Lemma sum_map : forall {A B} (f : B -> R) (g : A -> B) xs, sum f (map g xs) = sum (fun x => f (g x)) xs.
Proof. induction xs; simpl; congruence. Qed.

(* Two sums may change places. *)
Lemma sum_swap : forall {A B} (f : A -> B -> R) xs zs,
  sum (fun x => sum (f x) zs) xs = sum (fun z => sum (fun x => f x z) xs) zs.
Proof.
  intros A B f. induction xs as [| x xs IH]; intros zs; simpl.
  - symmetry. apply sum_zero. auto.
  - now rewrite IH, <- sum_plus.
Qed.

(* A sum over a filtered list is a sum with an indicator. *)

(* The sum over a product is the product of the sums. *)
Lemma sum_list_prod : forall {A B} (f : A -> R) (g : B -> R) xs ys,
  sum (fun z => f (fst z) * g (snd z)) (list_prod xs ys) = sum f xs * sum g ys.
Proof.
  intros A B f g xs ys. induction xs as [| x xs IH]; [ simpl; lra | ].
  change (list_prod (x :: xs) ys) with (map (fun y => (x, y)) ys ++ list_prod xs ys).
  rewrite sum_app, IH, sum_map. simpl. rewrite (sum_scale (f x) g). lra.
Qed.

(* Sums by group: a list cut by a key. *)
Definition members {A} (key : A -> nat) (xs : list A) (g : nat) : list A :=
  filter (fun x => key x =? g)%nat xs.

Definition keys {A} (key : A -> nat) (xs : list A) : list nat := nodup Nat.eq_dec (map key xs).

Lemma sum_by_group : forall {A} (key : A -> nat) (f : A -> R) xs,
  sum f xs = sum (fun g => sum f (members key xs g)) (keys key xs).
Proof.
  intros A key f xs. unfold members.
  rewrite (sum_ext (fun g => sum f (filter (fun x => (key x =? g)%nat) xs))
                   (fun g => sum (fun x => if (key x =? g)%nat then f x else 0) xs))
    by (intros; apply sum_filter).
  rewrite <- (sum_swap (fun x g => if (key x =? g)%nat then f x else 0)).
  apply sum_ext. intros x Hx. symmetry.
  rewrite (sum_single _ _ (key x)).
  - now rewrite Nat.eqb_refl.
  - apply NoDup_nodup.
  - apply nodup_In, in_map, Hx.
  - intros g _ Hg. destruct (Nat.eqb_spec (key x) g); congruence.
Qed.

Lemma in_members : forall {A} (key : A -> nat) xs g x,
  In x (members key xs g) <-> In x xs /\ key x = g.
Proof. intros. unfold members. rewrite filter_In, Nat.eqb_eq. tauto. Qed.
