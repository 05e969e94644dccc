(* What holds for every function whatever: the leak.

   Networks in floating point need not agree on groups: sums are rounded in different orders.  Let the
   leak of f be the distance of f from the functions that agree: the same expression as the floor, of
   f instead of the targets.  Then, whatever f is and however it was computed,

     error_rms >= floor_rms - leak_rms        error_sup >= floor_sup - leak_sup. *)

Require Import List Arith Lia Permutation Reals Lra.
Require Import Urpe.Views Urpe.Sums Urpe.Floors.
Import ListNotations.
Open Scope R_scope.

(* ---- the triangle inequality of the mean square ----------------------------------------------------- *)

Lemma cauchy_schwarz : forall {A} (a b : A -> R) xs,
  sum (fun x => a x * b x) xs ^ 2 <= sum (fun x => a x ^ 2) xs * sum (fun x => b x ^ 2) xs.
Proof.
  intros A a b xs. set (P := sum (fun x => a x ^ 2) xs). set (Q := sum (fun x => b x ^ 2) xs).
  set (M := sum (fun x => a x * b x) xs).
  assert (HP : 0 <= P) by (apply sum_nonneg; intros; apply pow2_ge_0).
  assert (HQ : 0 <= Q) by (apply sum_nonneg; intros; apply pow2_ge_0).
  assert (H : forall s t, 0 <= s ^ 2 * P - 2 * s * t * M + t ^ 2 * Q).
  { intros s t. replace (s ^ 2 * P - 2 * s * t * M + t ^ 2 * Q) with (sum (fun x => (s * a x - t * b x) ^ 2) xs).
    - apply sum_nonneg. intros. apply pow2_ge_0.
    - unfold P, Q, M.
      rewrite (sum_ext _ (fun x => s ^ 2 * a x ^ 2 - 2 * s * t * (a x * b x) + t ^ 2 * b x ^ 2)) by (intros; ring).
      rewrite sum_plus, sum_minus, !sum_scale. ring. }
  destruct (Req_dec P 0) as [E | E].
  - assert (H1 := H (Q + 1) M). rewrite E in *. nra.
  - assert (H1 := H M P). assert (0 < P) by lra.
    assert (0 <= P * (P * Q - M ^ 2)) by (ring_simplify in H1; ring_simplify; lra).
    apply (Rmult_le_compat_l (/ P)) in H2; [ | apply Rlt_le, Rinv_0_lt_compat; auto ].
    replace (/ P * (P * (P * Q - M ^ 2))) with (P * Q - M ^ 2) in H2 by (field; auto). lra.
Qed.

Lemma triangle : forall {A} (a b : A -> R) xs,
  sqrt (sum (fun x => (a x + b x) ^ 2) xs) <= sqrt (sum (fun x => a x ^ 2) xs) + sqrt (sum (fun x => b x ^ 2) xs).
Proof.
  intros A a b xs. set (P := sum (fun x => a x ^ 2) xs). set (Q := sum (fun x => b x ^ 2) xs).
  assert (HP : 0 <= P) by (apply sum_nonneg; intros; apply pow2_ge_0).
  assert (HQ : 0 <= Q) by (apply sum_nonneg; intros; apply pow2_ge_0).
  assert (SP := sqrt_pos P). assert (SQ := sqrt_pos Q).
  rewrite <- (sqrt_pow2 (sqrt P + sqrt Q)) by lra. apply sqrt_le_1_alt.
  rewrite (sum_ext _ (fun x => a x ^ 2 + 2 * (a x * b x) + b x ^ 2)) by (intros; ring).
  rewrite !sum_plus, sum_scale. fold P Q. set (M := sum (fun x => a x * b x) xs).
  assert (HM : M <= sqrt P * sqrt Q).
  { rewrite <- sqrt_mult by auto. apply Rle_trans with (Rabs M); [ apply RRle_abs | ].
    rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt. rewrite Rsqr_pow2. apply cauchy_schwarz. }
  replace ((sqrt P + sqrt Q) ^ 2) with (sqrt P ^ 2 + 2 * (sqrt P * sqrt Q) + sqrt Q ^ 2) by ring.
  rewrite !pow2_sqrt by auto. lra.
Qed.

Lemma sum_nested : forall {A B} (f : A -> B -> R) xs zs,
  sum (fun x => sum (f x) zs) xs = sum (fun xz => f (fst xz) (snd xz)) (list_prod xs zs).
Proof.
  intros A B f xs zs. induction xs as [| x xs IH]; [ reflexivity | ].
  change (list_prod (x :: xs) zs) with (map (fun z => (x, z)) zs ++ list_prod xs zs).
  rewrite sum_app, <- IH, sum_map. reflexivity.
Qed.

Section Leak.

Context {Pair : Type}.
Variables (group : Pair -> nat) (pairs : list Pair) (d : nat).

Local Notation floor := (mse_floor group pairs d).
Local Notation error := (mse pairs d).

Lemma error_triangle : forall u v y, (forall p ch, y p ch = u p ch + v p ch) -> forall u0 v0 y0,
  (forall p ch, y0 p ch = u0 p ch + v0 p ch) -> sqrt (error y y0) <= sqrt (error u u0) + sqrt (error v v0).
Proof.
  intros u v y Hy u0 v0 y0 Hy0. unfold mse.
  set (N := INR (length pairs) * INR d). assert (HN : 0 <= N) by (unfold N; rewrite <- mult_INR; apply pos_INR).
  destruct HN as [HN | HN]; [ | rewrite <- HN; unfold Rdiv; rewrite Rinv_0, !Rmult_0_r, sqrt_0; lra ].
  rewrite !sqrt_div_alt by auto. unfold square_error. rewrite !sum_nested. set (all := list_prod pairs (seq 0 d)).
  rewrite (sum_ext (fun z => (y _ _ - y0 _ _) ^ 2)
    (fun z => ((u (fst z) (snd z) - u0 (fst z) (snd z)) + (v (fst z) (snd z) - v0 (fst z) (snd z))) ^ 2))
    by (intros z _; rewrite Hy, Hy0; ring).
  assert (T := triangle (fun z => u (fst z) (snd z) - u0 (fst z) (snd z))
                        (fun z => v (fst z) (snd z) - v0 (fst z) (snd z)) all).
  unfold Rdiv. rewrite <- Rmult_plus_distr_r. apply Rmult_le_compat_r; auto.
  apply Rlt_le, Rinv_0_lt_compat, sqrt_lt_R0, HN.
Qed.

Lemma mean_plus : forall {A} (u v y : A -> R) xs, (forall x, y x = u x + v x) -> mean y xs = mean u xs + mean v xs.
Proof.
  intros A u v y xs H. unfold mean. rewrite (sum_ext y (fun x => u x + v x)) by auto.
  rewrite sum_plus. unfold Rdiv. ring.
Qed.

(* error_rms >= floor_rms - leak_rms: y = (y - f) + f, each less its mean over the group. *)
Theorem leak_rms : forall y f, sqrt (floor y) - sqrt (floor f) <= sqrt (error y f).
Proof.
  intros y f. set (e := fun p ch => y p ch - f p ch).
  assert (He : floor e <= error y f).
  { replace (error y f) with (error e (fun _ _ => 0)).
    - apply mse_floor_holds. unfold agrees. auto.
    - unfold mse, square_error. f_equal. apply sum_ext. intros p _. apply sum_ext. intros ch _. unfold e. ring. }
  apply sqrt_le_1_alt in He. rewrite <- !(mse_floor_attained group pairs d) in *.
  assert (T := error_triangle e f y (fun p ch => ltac:(unfold e; ring))
                 (group_mean group pairs e) (group_mean group pairs f) (group_mean group pairs y)).
  cut (forall p ch, group_mean group pairs y p ch = group_mean group pairs e p ch + group_mean group pairs f p ch).
  { intros H. specialize (T H). lra. }
  intros p ch. apply mean_plus. intros q. unfold e. ring.
Qed.

(* error_sup >= floor_sup - leak_sup. *)
Theorem leak_sup : forall y f,
  sup_floor group pairs d y - sup_floor group pairs d f <= sup_error pairs d y f.
Proof.
  intros y f. set (F := sup_floor group pairs d f). set (E := sup_error pairs d y f).
  cut (sup_floor group pairs d y <= E + F); [ lra | ].
  assert (HE : 0 <= E) by apply largest_nonneg. assert (HF : 0 <= F) by apply largest_nonneg.
  unfold sup_floor. repeat (apply largest_least; [ lra | intros ]).
  rename x into g, x0 into ch, x1 into p, x2 into q.
  assert (HFpq : Rabs (f p ch - f q ch) / 2 <= F).
  { unfold F, sup_floor.
    eapply Rle_trans; [ | apply (largest_upper _ _ g H) ]. eapply Rle_trans; [ | apply (largest_upper _ _ ch H0) ].
    eapply Rle_trans; [ | apply (largest_upper _ _ p H1) ].
    apply (largest_upper (fun q => Rabs (f p ch - f q ch) / 2) _ q H2). }
  apply in_members in H1, H2. apply in_seq in H0.
  assert (Ep := sup_error_upper pairs d y f p ch (proj1 H1) ltac:(lia)).
  assert (Eq := sup_error_upper pairs d y f q ch (proj1 H2) ltac:(lia)). fold E in Ep, Eq.
  assert (T1 := Rabs_triang (y p ch - f p ch) ((f p ch - f q ch) + (f q ch - y q ch))).
  assert (T2 := Rabs_triang (f p ch - f q ch) (f q ch - y q ch)).
  replace (y p ch - f p ch + (f p ch - f q ch + (f q ch - y q ch))) with (y p ch - y q ch) in T1 by ring.
  rewrite (Rabs_minus_sym (f q ch) (y q ch)) in *. lra.
Qed.

End Leak.
