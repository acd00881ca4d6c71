(* Real inner product spaces, the classes of operators, and the tactics of the proofs that opcheck
   writes. A reader of statements needs the first two parts; the rest is for proofs alone, and
   trusted by nobody. Nothing is assumed but the real numbers of the standard library. *)
From Coq Require Export Reals Lra Psatz.
Open Scope R_scope.

(* ---- spaces ------------------------------------------------------------------------------- *)

Record Space := {
  point :> Type;
  zero : point;  add : point -> point -> point;  scale : R -> point -> point;
  inner : point -> point -> R;
  add_comm : forall x y, add x y = add y x;
  add_assoc : forall x y z, add x (add y z) = add (add x y) z;
  add_zero : forall x, add x zero = x;
  add_opposite : forall x, add x (scale (-1) x) = zero;
  scale_one : forall x, scale 1 x = x;
  scale_scale : forall a b x, scale a (scale b x) = scale (a * b) x;
  scale_plus : forall a b x, scale (a + b) x = add (scale a x) (scale b x);
  scale_add : forall a x y, scale a (add x y) = add (scale a x) (scale a y);
  inner_comm : forall x y, inner x y = inner y x;
  inner_add : forall x y z, inner (add x y) z = inner x z + inner y z;
  inner_scale : forall a x y, inner (scale a x) y = a * inner x y;
  inner_positive : forall x, 0 <= inner x x;
  inner_definite : forall x, inner x x = 0 -> x = zero }.
Arguments zero {_}. Arguments add {_}. Arguments scale {_}. Arguments inner {_}.

Declare Scope vector_scope.
Delimit Scope vector_scope with vec.
Bind Scope vector_scope with point.
Definition sub {E : Space} (x y : E) : E := add x (scale (-1) y).
Infix "+" := add : vector_scope.
Infix "-" := sub : vector_scope.
Infix "*" := scale : vector_scope.
Definition norm2 {E : Space} (x : E) : R := inner x x.
Arguments inner {_} (_ _)%vec.

(* The line is one, and so is the product of two: every R^n. *)
Program Definition line : Space :=
  {| point := R; zero := 0; add := Rplus; scale := Rmult; inner := Rmult |}.
Solve All Obligations with (intros; try ring; nra).

Program Definition product (E G : Space) : Space :=
  {| point := E * G; zero := (zero, zero);
     add x y := (add (fst x) (fst y), add (snd x) (snd y));
     scale a x := (scale a (fst x), scale a (snd x));
     inner x y := inner (fst x) (fst y) + inner (snd x) (snd y) |}.
Next Obligation. now rewrite (add_comm E), (add_comm G). Qed.
Next Obligation. now rewrite (add_assoc E), (add_assoc G). Qed.
Next Obligation. now rewrite (add_zero E), (add_zero G). Qed.
Next Obligation. now rewrite (add_opposite E), (add_opposite G). Qed.
Next Obligation. now rewrite (scale_one E), (scale_one G). Qed.
Next Obligation. now rewrite (scale_scale E), (scale_scale G). Qed.
Next Obligation. now rewrite (scale_plus E), (scale_plus G). Qed.
Next Obligation. now rewrite (scale_add E), (scale_add G). Qed.
Next Obligation. now rewrite (inner_comm E), (inner_comm G). Qed.
Next Obligation. rewrite (inner_add E), (inner_add G). ring. Qed.
Next Obligation. rewrite (inner_scale E), (inner_scale G). ring. Qed.
Next Obligation.
  pose proof (inner_positive E p); pose proof (inner_positive G p0). simpl. lra.
Qed.
Next Obligation.
  pose proof (inner_positive E p); pose proof (inner_positive G p0). simpl in H.
  rewrite (inner_definite E p), (inner_definite G p0); trivial; lra.
Qed.

(* ---- operators ---------------------------------------------------------------------------- *)

Section Operators.
Context {E : Space}.

(* An operator is set-valued: A x u says that u is one of the values at x. *)
Definition operator := E -> E -> Prop.
Definition graph (F : E -> E) : operator := fun x u => u = F x.
Definition plus (F : E -> E) (A : operator) : operator := fun x u => exists a, A x a /\ u = (F x + a)%vec.
Definition Zero (A : operator) (x : E) := A x zero.

(* J z = p with z - p in gamma A p. *)
Definition Resolvent (gamma : R) (A : operator) (J : E -> E) :=
  forall z, A (J z) (/ gamma * (z - J z))%vec.

Definition Lipschitz (L : R) (A : operator) := forall x u y v,
  A x u -> A y v -> norm2 (u - v) <= L ^ 2 * norm2 (x - y).
Definition Monotone (A : operator) := forall x u y v,
  A x u -> A y v -> 0 <= inner (x - y)%vec (u - v)%vec.
Definition StronglyMonotone (mu : R) (A : operator) := forall x u y v,
  A x u -> A y v -> mu * norm2 (x - y) <= inner (x - y)%vec (u - v)%vec.
(* also Cocoercive, where rho > 0 *)
Definition Comonotone (rho : R) (A : operator) := forall x u y v,
  A x u -> A y v -> rho * norm2 (u - v) <= inner (x - y)%vec (u - v)%vec.
Definition WeakMinty (rho : R) (A : operator) (zstar : E) := forall x u,
  A x u -> rho * norm2 u <= inner (x - zstar)%vec u.
Definition Nonexpansive (A : operator) := forall x u y v,
  A x u -> A y v -> norm2 (u - v) <= norm2 (x - y).
Definition QuasiNonexpansive (A : operator) (zstar : E) := forall x u,
  A x u -> norm2 (u - zstar) <= norm2 (x - zstar).
(* A is contained in the subdifferential of f, which may be infinite where A has no value. *)
Definition Subgradient (f : E -> R) (A : operator) := forall x u y v,
  A x u -> A y v -> f x + inner u (y - x)%vec <= f y.

(* F is a I + G about its zero, where G is skew (and so linear) and G G = - s I: a scale and a turn. *)
Definition Turn (a s : R) (F : E -> E) (zstar : E) := exists G : E -> E,
  (forall x y, inner (G x) y = - inner x (G y)) /\ (forall x, G (G x) = (- s * x)%vec) /\
  forall x, F x = (a * (x - zstar) + G (x - zstar))%vec.

Lemma inner_add_r (x y z : E) : inner x (add y z) = inner x y + inner x z.
Proof. now rewrite inner_comm, inner_add, (inner_comm E y), (inner_comm E z). Qed.
Lemma inner_scale_r a (x y : E) : inner x (scale a y) = a * inner x y.
Proof. now rewrite inner_comm, inner_scale, (inner_comm E y). Qed.
Lemma inner_zero (x : E) : inner zero x = 0.
Proof.
  rewrite <- (add_opposite E zero), inner_add, inner_scale. ring.
Qed.
Lemma inner_zero_r (x : E) : inner x zero = 0.
Proof. now rewrite inner_comm, inner_zero. Qed.
Lemma same_point (x y : E) : norm2 (x - y) = 0 -> x = y.
Proof.
  intros H. apply inner_definite in H. unfold sub in H.
  rewrite <- (add_zero E x), <- (add_opposite E y), (add_comm E y), (add_assoc E), H.
  now rewrite add_comm, add_zero.
Qed.
Lemma zero_of_sum (F : E -> E) A x : Zero (plus F A) x -> A x (-1 * F x)%vec.
Proof.
  intros [a [Ha H]]. replace (-1 * F x)%vec with a; trivial. apply same_point.
  transitivity (norm2 (F x + a)); [|rewrite <- H; apply inner_zero].
  unfold norm2, sub. rewrite ?inner_add, ?inner_add_r, ?inner_scale, ?inner_scale_r, (inner_comm E a (F x)).
  ring.
Qed.
End Operators.
Arguments operator : clear implicits.

(* Sums over the steps before k. *)
Fixpoint before (f : nat -> R) (k : nat) : R :=
  match k with O => 0 | S j => before f j + f j end.
(* The least over the steps up to k. *)
Fixpoint best (f : nat -> R) (k : nat) : R :=
  match k with O => f O | S j => Rmin (best f j) (f (S j)) end.
(* So many passes of a loop. *)
Fixpoint passes {T : Type} (n : nat) (pass : T -> T) (x : T) : T :=
  match n with O => x | S m => pass (passes m pass x) end.

(* ---- tactics ------------------------------------------------------------------------------ *)

(* Combinations of vectors as data: their inner products become polynomials in those of the vectors. *)
Inductive combination := Vector (i : nat) | Nothing | Sum (a b : combination) | Times (c : R) (a : combination).
Definition dot {E : Space} (x y : E) := inner x y.

Section Gram.
Context {E : Space} (basis : list E).
Definition vector i : E := List.nth i basis zero.
Fixpoint value (a : combination) : E :=
  match a with
  | Vector i => vector i | Nothing => zero
  | Sum b c => (value b + value c)%vec | Times r b => (r * value b)%vec
  end.
Fixpoint row (i : nat) (a : combination) : R :=
  match a with
  | Vector j => if Nat.leb i j then dot (vector i) (vector j) else dot (vector j) (vector i)
  | Nothing => 0 | Sum b c => row i b + row i c | Times r b => r * row i b
  end.
Fixpoint form (a b : combination) : R :=
  match a with
  | Vector i => row i b | Nothing => 0 | Sum c d => form c b + form d b | Times r c => r * form c b
  end.
Lemma gram a b : inner (value a) (value b) = form a b.
Proof.
  induction a as [i | | c IHc d IHd | r c IH]; simpl.
  - induction b as [j | | c IHc d IHd | r c IH]; simpl.
    + now destruct (Nat.leb i j); [|rewrite inner_comm].
    + apply inner_zero_r.
    + now rewrite inner_add_r, IHc, IHd.
    + now rewrite inner_scale_r, IH.
  - apply inner_zero.
  - now rewrite inner_add, IHc, IHd.
  - now rewrite inner_scale, IH.
Qed.

(* The same by the weights of the vectors: shorter where combinations are long. *)
Fixpoint weight (i : nat) (a : combination) : R :=
  match a with
  | Vector j => if Nat.eqb i j then 1 else 0
  | Nothing => 0 | Sum b c => weight i b + weight i c | Times r b => r * weight i b
  end.
Fixpoint along (n : nat) (a : combination) (of : nat -> R) : R :=
  match n with O => 0 | S m => along m a of + weight m a * of m end.
Definition weighed (a b : combination) : R :=
  along (length basis) a (fun i => along (length basis) b (fun j => dot (vector j) (vector i))).
Lemma along_vector n j of : along n (Vector j) of = if Nat.ltb j n then of j else 0.
Proof.
  induction n as [|n IH]; [now destruct j|]. simpl along. rewrite IH.
  destruct (Nat.ltb_spec j n), (Nat.ltb_spec j (S n)), (Nat.eqb_spec n j); subst; try lia; ring.
Qed.
Lemma along_value a y : inner (value a) y = along (length basis) a (fun i => inner (vector i) y).
Proof.
  induction a as [i | | c IHc d IHd | r c IH]; simpl value.
  - rewrite along_vector. destruct (Nat.ltb_spec i (length basis)) as [|above]; trivial.
    unfold vector. rewrite List.nth_overflow by trivial. apply inner_zero.
  - rewrite inner_zero. induction (length basis) as [|n IH]; simpl; lra.
  - rewrite inner_add, IHc, IHd. clear. induction (length basis) as [|n IH]; simpl; lra.
  - rewrite inner_scale, IH. clear. induction (length basis) as [|n IH]; simpl; [ring|].
    rewrite Rmult_plus_distr_l, IH. ring.
Qed.
Lemma gram_weighed a b : inner (value a) (value b) = weighed a b.
Proof.
  unfold weighed. rewrite along_value. generalize (length basis) at 1 2. intro n.
  induction n as [|n IH]; simpl; trivial.
  rewrite IH, (inner_comm E (vector n)), along_value. reflexivity.
Qed.
End Gram.

Ltac collect x known :=
  lazymatch x with
  | add ?a ?b => let k := collect a known in collect b k
  | scale _ ?a => collect a known
  | zero => known
  | _ => lazymatch known with context [cons x _] => known | _ => constr:(cons x known) end
  end.
Ltac place x known :=
  lazymatch known with cons x _ => constr:(O) | cons _ ?k => let i := place x k in constr:(S i) end.
Ltac combined x known :=
  lazymatch x with
  | add ?a ?b => let p := combined a known in let q := combined b known in constr:(Sum p q)
  | scale ?r ?a => let p := combined a known in constr:(Times r p)
  | zero => constr:(Nothing)
  | _ => let i := place x known in constr:(Vector i)
  end.
Ltac expanded form gram :=
  unfold norm2, sub;
  let rec every t known := lazymatch t with
    | context C [@inner ?E ?x ?y] => let k := collect x known in let k := collect y k in
      let rest := context C [0] in every rest k
    | _ => known end in
  lazymatch goal with |- context [@inner ?E _ _] =>
    lazymatch goal with |- ?t =>
      let basis := every t (@nil E) in
      repeat lazymatch goal with |- context [@inner E ?x ?y] =>
        let p := combined x basis in let q := combined y basis in
        replace (@inner E x y) with (form E basis p q) by (symmetry; exact (gram E basis p q))
      end
    end
  | _ => idtac end.
Ltac expand :=
  expanded (@form) (@gram); cbv beta iota delta [form row vector List.nth Nat.leb].
Ltac weigh :=
  expanded (@weighed) (@gram_weighed);
  cbv beta iota delta [weighed weight along vector List.nth length Nat.eqb].

(* Signs of products, quotients, powers and sums whose parts have signs that are known or linear. *)
Ltac sign :=
  solve [ assumption | lra | lazymatch goal with
  | |- 0 <= inner ?x ?x => apply inner_positive
  | |- 0 <= norm2 _ => apply inner_positive
  | |- 0 < _ * _ => apply Rmult_lt_0_compat; sign
  | |- 0 < _ / _ => apply Rdiv_lt_0_compat; sign
  | |- 0 < / _ => apply Rinv_0_lt_compat; sign
  | |- 0 < _ ^ _ => apply pow_lt; sign
  | |- 0 < _ + _ => solve [ apply Rplus_lt_0_compat; sign | apply Rplus_lt_le_0_compat; sign
                          | apply Rplus_le_lt_0_compat; sign ]
  | |- 0 <= _ * _ => apply Rmult_le_pos; sign
  | |- 0 <= _ / _ => apply Rmult_le_pos; [ sign | left; apply Rinv_0_lt_compat; sign ]
  | |- 0 <= _ ^ 2 => apply pow2_ge_0
  | |- 0 <= _ ^ _ => apply pow_le; sign
  | |- 0 <= _ + _ => apply Rplus_le_le_0_compat; sign
  | |- 0 <= INR _ => apply pos_INR
  | |- _ <> 0 => apply Rgt_not_eq; sign
  end ].

(* What is to be shown is a sum of what is known to be nonnegative. *)
Lemma by_sum a b s : b - a = s -> 0 <= s -> a <= b.
Proof. lra. Qed.

Lemma by_positive_sum a b s : b - a = s -> 0 < s -> a < b.
Proof. lra. Qed.

Lemma by_equal a b s : b - a = s -> s = 0 -> a = b.
Proof. lra. Qed.

Lemma gap a b : a <= b -> 0 <= b - a.
Proof. lra. Qed.
Lemma no_gap a b : a = b -> b - a = 0.
Proof. lra. Qed.
Lemma monotone_of_subgradient {E : Space} (f : E -> R) A : Subgradient f A -> Monotone A.
Proof.
  intros H x u y v Hx Hy. pose proof (H _ _ _ _ Hx Hy) as H1. pose proof (H _ _ _ _ Hy Hx) as H2.
  revert H1 H2. expand. lra.
Qed.
Lemma residue_of c r m : c <> O -> Nat.modulo (r + c * m) c = Nat.modulo r c.
Proof. intro. rewrite Nat.mul_comm. now apply Nat.mod_add. Qed.

Ltac forget f :=
  repeat match goal with |- context [f ?x] => let v := fresh "v" in generalize (f x); intro v end.
Ltac multiplied_out :=
  apply Rgt_not_eq; match goal with |- ?a > 0 => ring_simplify a end; unfold Rgt; sign.
Ltac side := repeat split; first [ assumption | sign | lra | intro; nra | multiplied_out ].
Ltac same_vectors := apply same_point; expand; try field; side.
Ltac signs := first [ sign | lra | nra ].
Ltac residue c r m :=
  let H := fresh in pose proof (residue_of c r m ltac:(discriminate)) as H; cbn [Nat.add] in H; rewrite H; clear H;
  let v := eval vm_compute in (Nat.modulo r c) in change (Nat.modulo r c) with v.
Ltac closed n := lazymatch n with O => idtac | S ?m => closed m end.
Ltac mods := repeat match goal with
  | |- context [Nat.modulo ?e ?c] =>
      let v := eval vm_compute in (Nat.modulo e c) in closed v; change (Nat.modulo e c) with v; cbv beta iota
  | |- context [Nat.modulo ?e ?c] => lazymatch e with context [(c * ?m)%nat] =>
      let rec depth t := lazymatch t with S ?u => let d := depth u in constr:(S d) | _ => constr:(O) end in
      let r := depth e in residue c r m; cbv beta iota
    end end.
(* Loops of any length c: where in a loop n is, and what is next to it. *)
Lemma last_pass {T : Type} n (pass : T -> T) x : (0 < n)%nat ->
  passes n pass x = pass (passes (Nat.pred n) pass x).
Proof. intro positive. now destruct n; [lia|]. Qed.
Lemma phase_inside n : n <> O -> exists gone, n = S gone.
Proof. intro. destruct n as [|gone]; [easy|now exists gone]. Qed.
Lemma phase_after c n d : (d < c)%nat -> Nat.modulo n c = O -> Nat.modulo (d + n) c = d.
Proof.
  intros less turn. rewrite Nat.add_mod, turn, Nat.add_0_r, Nat.mod_mod by lia.
  now apply Nat.mod_small.
Qed.
Lemma phase_before c n d : (0 < d < c)%nat -> Nat.modulo (d + n) c = O ->
  exists gone, Nat.modulo n c = S gone.
Proof.
  intros less turn. apply phase_inside. intro other.
  pose proof (phase_after c n d ltac:(lia) other). lia.
Qed.
Lemma phase_cases c n : c <> O ->
  (S (Nat.modulo n c) < c /\ Nat.modulo (S n) c = S (Nat.modulo n c))%nat
  \/ S (Nat.modulo n c) = c /\ Nat.modulo (S n) c = O.
Proof.
  intro some. pose proof (Nat.mod_upper_bound n c some).
  rewrite <- (Nat.add_1_l n), Nat.add_mod by trivial.
  assert (c = 1 \/ 1 < c)%nat as [-> | several] by lia;
    [right; rewrite !Nat.mod_1_r; now split|].
  rewrite (Nat.mod_small 1) by trivial.
  assert (1 + Nat.modulo n c < c \/ 1 + Nat.modulo n c = c)%nat as [inside | last] by lia.
  - left. rewrite (Nat.mod_small (1 + Nat.modulo n c)) by trivial. lia.
  - right. rewrite last, Nat.mod_same by trivial. lia.
Qed.
Lemma phase_next c n : c <> O -> Nat.modulo (S n) c <> O ->
  Nat.modulo (S n) c = S (Nat.modulo n c).
Proof. intros some other. destruct (phase_cases c n some) as [[_ E]|[_ E]]; [exact E|easy]. Qed.
Lemma phase_of_last c n : (1 < c)%nat -> Nat.modulo (S n) c = O ->
  Nat.eqb (Nat.modulo n c) 0 = false /\ Nat.eqb (Nat.modulo n c) (Nat.pred c) = true.
Proof.
  intros several turn. destruct (phase_cases c n ltac:(lia)) as [[_ E]|[E _]]; [lia|].
  rewrite Nat.eqb_neq, Nat.eqb_eq. lia.
Qed.
Lemma phase_of_middle c n gone rest : c <> O -> Nat.modulo n c = S gone ->
  Nat.modulo (S n) c = S rest ->
  Nat.eqb (Nat.modulo n c) 0 = false /\ Nat.eqb (Nat.modulo n c) (Nat.pred c) = false.
Proof.
  intros some this next. destruct (phase_cases c n some) as [[less _]|[_ E]]; [|lia].
  rewrite !Nat.eqb_neq. lia.
Qed.
(* Ranges as quotients of what is positive. *)
Lemma less a b : 0 < b - a -> a < b. Proof. lra. Qed.
Lemma at_most a b : 0 <= b - a -> a <= b. Proof. lra. Qed.
Lemma quotient a b : 0 < a -> 0 < b -> 0 < a / b. Proof. apply Rdiv_lt_0_compat. Qed.
Lemma quotient_lax a b : 0 <= a -> 0 < b -> 0 <= a / b.
Proof. intros. apply Rmult_le_pos; trivial. now left; apply Rinv_0_lt_compat. Qed.
Ltac between := intros lo hi x H K; exists (x - lo), (hi - x); repeat split; try lra; field; lra.
Lemma between_open_open : forall lo hi x, lo < x -> x < hi -> exists u v,
  0 < u /\ 0 < v /\ 0 < u + v /\ x = (lo * v + hi * u) / (u + v). Proof. between. Qed.
Lemma between_open_closed : forall lo hi x, lo < x -> x <= hi -> exists u v,
  0 < u /\ 0 <= v /\ 0 < u + v /\ x = (lo * v + hi * u) / (u + v). Proof. between. Qed.
Lemma between_closed_open : forall lo hi x, lo <= x -> x < hi -> exists u v,
  0 <= u /\ 0 < v /\ 0 < u + v /\ x = (lo * v + hi * u) / (u + v). Proof. between. Qed.
Lemma between_closed_closed : forall lo hi x, lo <= x -> x <= hi -> lo < hi -> exists u v,
  0 <= u /\ 0 <= v /\ 0 < u + v /\ x = (lo * v + hi * u) / (u + v).
Proof. intros lo hi x H K M; exists (x - lo), (hi - x); repeat split; try lra; field; lra. Qed.
Ltac terms :=
  lazymatch goal with
  | |- 0 < _ + _ => apply Rplus_lt_le_0_compat; terms
  | |- 0 <= _ + _ => apply Rplus_le_le_0_compat; terms
  | |- 0 < _ * _ => apply Rmult_lt_0_compat; terms
  | |- 0 <= _ * _ => apply Rmult_le_pos; terms
  | |- 0 < _ ^ _ => apply pow_lt; terms
  | |- 0 <= _ ^ _ => apply pow_le; terms
  | |- _ => first [assumption | lra]
  end.
Lemma without_root a b x : 0 <= a -> 0 <= b -> 0 <= x -> a <= b * sqrt x -> 0 <= b ^ 2 * x - a ^ 2.
Proof.
  intros Ha Hb Hx H. replace (b ^ 2 * x) with ((b * sqrt x) ^ 2) by (rewrite Rpow_mult_distr, pow2_sqrt; trivial).
  nra.
Qed.
Lemma with_root a b x : 0 <= b -> 0 <= x -> b * sqrt x < a -> 0 < a ^ 2 - b ^ 2 * x.
Proof.
  intros Hb Hx H. pose proof (Rmult_le_pos _ _ Hb (sqrt_pos x)).
  replace (b ^ 2 * x) with ((b * sqrt x) ^ 2) by (rewrite Rpow_mult_distr, pow2_sqrt; trivial). nra.
Qed.
Lemma with_root_lax a b x : 0 <= b -> 0 <= x -> b * sqrt x <= a -> 0 <= a ^ 2 - b ^ 2 * x.
Proof.
  intros Hb Hx H. pose proof (Rmult_le_pos _ _ Hb (sqrt_pos x)).
  replace (b ^ 2 * x) with ((b * sqrt x) ^ 2) by (rewrite Rpow_mult_distr, pow2_sqrt; trivial). nra.
Qed.
Lemma pow_of_inverse a b n : a = / b -> a ^ n = / b ^ n.
Proof. intros ->. apply pow_inv. Qed.
(* What stands where a comparison decides. *)
Lemma if_at_most a b (H : a <= b) (x y : R) : (if Rle_dec a b then x else y) = x.
Proof. now destruct (Rle_dec a b). Qed.
Lemma if_above a b (H : ~ a <= b) (x y : R) : (if Rle_dec a b then x else y) = y.
Proof. now destruct (Rle_dec a b). Qed.
Lemma if_less a b (H : a < b) (x y : R) : (if Rlt_dec a b then x else y) = x.
Proof. now destruct (Rlt_dec a b). Qed.
Lemma if_not_less a b (H : ~ a < b) (x y : R) : (if Rlt_dec a b then x else y) = y.
Proof. now destruct (Rlt_dec a b). Qed.
Ltac settle test := repeat first [ rewrite (if_at_most _ _ test) | rewrite (if_above _ _ test)
  | rewrite (if_less _ _ test) | rewrite (if_not_less _ _ test) | settle_alike ]
(* a test in other words than those that are known *)
with settle_alike :=
  let known := fresh in
  match goal with
  | |- context [Rlt_dec ?a ?b] => first
      [ assert (known : a < b) by lra; rewrite (if_less _ _ known)
      | assert (known : ~ a < b) by lra; rewrite (if_not_less _ _ known) ]
  | |- context [Rle_dec ?a ?b] => first
      [ assert (known : a <= b) by lra; rewrite (if_at_most _ _ known)
      | assert (known : ~ a <= b) by lra; rewrite (if_above _ _ known) ]
  end; clear known.
Ltac same_number := repeat settle_alike; field; side.
Lemma pow_at_least x n : 0 < x -> 1 <= x -> 1 <= x ^ n. Proof. intros _. apply pow_R1_Rle. Qed.
Lemma pow_at_most x n : 0 < x -> x <= 1 -> x ^ n <= 1.
Proof. intros. rewrite <- (pow1 n). apply pow_incr. lra. Qed.
Lemma before_positive f k : (forall j, 0 <= f j) -> 0 <= before f k.
Proof. intro H. induction k as [|k IH]; simpl; [lra|]. specialize (H k). lra. Qed.
Lemma best_least f k : best f k <= f k.
Proof. destruct k; simpl; [lra|apply Rmin_r]. Qed.
Lemma best_mean f k : INR k * best f k <= before f k.
Proof.
  assert (later : forall j, best f (S j) <= best f j) by (intro j; apply Rmin_l).
  induction k as [|k IH]; [simpl; lra|].
  pose proof (later k). pose proof (best_least f k). pose proof (pos_INR k).
  rewrite S_INR. cbn [before]. nra.
Qed.
Lemma cauchy {E : Space} (u v : E) : inner u v ^ 2 <= inner u u * inner v v.
Proof.
  assert (H : forall t, 0 <= inner u u - 2 * t * inner u v + t ^ 2 * inner v v).
  { intro t. pose proof (inner_positive E (u - t * v)%vec) as P.
    replace (inner u u - 2 * t * inner u v + t ^ 2 * inner v v)
      with (inner (u - t * v) (u - t * v)) by (expand; ring). exact P. }
  pose proof (inner_positive E v) as C.
  destruct (Req_dec (inner v v) 0) as [Z|N].
  - destruct (Req_dec (inner u v) 0) as [B|B]; [rewrite Z, B; lra|].
    specialize (H ((inner u u + 1) / (2 * inner u v))). rewrite Z in H.
    replace (2 * ((inner u u + 1) / (2 * inner u v)) * inner u v) with (inner u u + 1) in H
      by (field; trivial).
    lra.
  - specialize (H (inner u v / inner v v)).
    replace (inner u u * inner v v) with (inner u v ^ 2 + (inner u u - 2 * (inner u v / inner v v)
      * inner u v + (inner u v / inner v v) ^ 2 * inner v v) * inner v v) by (field; trivial).
    pose proof (Rmult_le_pos _ _ H C). lra.
Qed.
Lemma inner_at_most_root {E : Space} (u v w : E) :
  norm2 v <= norm2 w -> inner u v <= sqrt (norm2 u * norm2 w).
Proof.
  intro shorter. pose proof (inner_positive E u) as Hu. pose proof (cauchy u v) as H. unfold norm2 in *.
  apply Rle_trans with (Rabs (inner u v)); [apply Rle_abs|].
  rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt. unfold Rsqr. nra.
Qed.
Ltac numbers := rewrite ?S_INR, ?mult_INR; cbn [INR].

Lemma rest_of_sum {E : Space} (F : E -> E) A x u : plus F A x u -> A x (u - F x)%vec.
Proof.
  intros [a [Ha ->]]. replace (F x + a - F x)%vec with a; trivial.
  apply same_point. expand. ring.
Qed.

(* Two hypotheses on F say something of their constants where there are two points. *)
Lemma one_point_of_lipschitz {E : Space} (F : E -> E) L mu : 0 < L ->
  Lipschitz L (graph F) -> StronglyMonotone mu (graph F) -> ~ mu <= L -> forall x y : E, x = y.
Proof.
  intros positive lipschitz strongly apart x y. apply same_point.
  pose proof (inner_positive E (x - y)%vec) as P. fold (norm2 (x - y)) in P.
  pose proof (lipschitz x _ y _ eq_refl eq_refl) as H1.
  pose proof (strongly x _ y _ eq_refl eq_refl) as H2.
  pose proof (inner_positive E (F x - F y - L * (x - y))%vec) as H3.
  revert P H1 H2 H3. generalize (F x - F y)%vec. generalize (x - y)%vec. intros d u P H1 H2 H3.
  replace (inner (u - L * d) (u - L * d)) with (norm2 u - 2 * L * inner d u + L ^ 2 * norm2 d) in H3
    by (expand; ring).
  assert (L * (inner d u) <= L * (L * norm2 d)) by nra.
  assert (inner d u <= L * norm2 d) by (apply Rmult_le_reg_l with L; assumption).
  nra.
Qed.
Lemma one_point_of_cocoercive {E : Space} (F : E -> E) beta mu : 0 < beta ->
  Comonotone beta (graph F) -> StronglyMonotone mu (graph F) -> ~ mu * beta <= 1 ->
  forall x y : E, x = y.
Proof.
  intros positive cocoercive strongly apart x y. apply same_point.
  pose proof (inner_positive E (x - y)%vec) as P. fold (norm2 (x - y)) in P.
  pose proof (cocoercive x _ y _ eq_refl eq_refl) as H1.
  pose proof (strongly x _ y _ eq_refl eq_refl) as H2.
  pose proof (inner_positive E (beta * (F x - F y) - (x - y))%vec) as H3.
  revert P H1 H2 H3. generalize (F x - F y)%vec. generalize (x - y)%vec. intros d u P H1 H2 H3.
  replace (inner (beta * u - d) (beta * u - d))
    with (beta ^ 2 * norm2 u - 2 * beta * inner d u + norm2 d) in H3 by (expand; ring).
  assert (beta * (beta * norm2 u) <= beta * inner d u) by nra.
  assert (beta * (mu * norm2 d) <= beta * inner d u) by (apply Rmult_le_compat_l; lra).
  nra.
Qed.
Ltac collapse alone :=
  unfold norm2, Rdiv;
  repeat match goal with |- context [@inner ?E ?x ?y] =>
    lazymatch x with zero => fail | _ => rewrite (alone x zero) end end;
  rewrite ?inner_zero, ?Rmult_0_l, ?Rmult_0_r, ?Rplus_0_l, ?Rminus_0_r, ?Rmult_0_l, ?Rmult_0_r; lra.

(* Turns: a step from z = zstar + d is a combination of d and G d. *)
Section Turns.
Context {E : Space} (G : E -> E) (s : R).
Hypothesis skew : forall x y, inner (G x) y = - inner x (G y).
Hypothesis square : forall x, G (G x) = (- s * x)%vec.
Lemma turned_add x y : G (x + y)%vec = (G x + G y)%vec.
Proof.
  apply same_point. set (w := (G (x + y) - (G x + G y))%vec). unfold norm2. unfold w at 1.
  unfold sub. rewrite ?inner_add, ?inner_scale, ?inner_add, !skew, ?inner_add. ring.
Qed.
Lemma turned_scale c x : G (c * x)%vec = (c * G x)%vec.
Proof.
  apply same_point. set (w := (G (c * x) - c * G x)%vec). unfold norm2. unfold w at 1.
  unfold sub. rewrite ?inner_add, ?inner_scale, !skew, ?inner_scale. ring.
Qed.
Lemma turned_zero : G zero = zero.
Proof.
  apply same_point. unfold norm2, sub.
  rewrite ?inner_add, ?inner_add_r, ?inner_scale, ?inner_scale_r, ?inner_zero, ?inner_zero_r, !skew.
  rewrite !inner_zero. ring.
Qed.
Lemma turned_both x y : dot (G x) (G y) = s * dot x y.
Proof. unfold dot. rewrite skew, square, inner_scale_r. ring. Qed.
Lemma turned_self x : dot (G x) x = 0.
Proof. unfold dot. pose proof (skew x x) as H. rewrite (inner_comm E x) in H. lra. Qed.
Lemma turned_other x y : dot x (G y) = dot (G y) x.
Proof. apply inner_comm. Qed.
End Turns.
Lemma turn_alone {E : Space} s (F : E -> E) zstar : Turn 0 s F zstar -> exists G : E -> E,
  (forall x y, inner (G x) y = - inner x (G y)) /\ (forall x, G (G x) = (- s * x)%vec) /\
  forall x, F x = G (x - zstar)%vec.
Proof.
  intros (G & skew & square & affine). exists G. repeat split; trivial.
  intro x. rewrite affine. apply same_point. expand. ring.
Qed.
Lemma apart {E : Space} (x y : E) : exists d, x = (y + d)%vec.
Proof. exists (x - y)%vec. apply same_point. expand. ring. Qed.
Lemma before_resolvent {E : Space} (F : E -> E) gamma J (z : E) : gamma <> 0 ->
  Resolvent gamma (graph F) J -> z = (J z + gamma * F (J z))%vec.
Proof.
  intros positive resolvent. rewrite <- (resolvent z : _ = F (J z)).
  apply same_point. expand. field. assumption.
Qed.
Ltac turned G skew square :=
  unfold sub;
  repeat first [rewrite (turned_add G skew) | rewrite (turned_scale G skew)
               | rewrite (turned_zero G skew) | rewrite square];
  weigh;
  rewrite ?(turned_both G _ skew square), ?turned_other, ?(turned_self G skew).

(* ---- certificates ------------------------------------------------------------------------- *)

(* Two combinations of inner products with rational factors are equal where their matrices are, over
   the vectors that they speak of. That is computed in Q. *)
From Coq Require Import QArith Qreals.
Open Scope R_scope.
Module Rational.
Inductive number :=
  | Whole (z : Z) | Sum (a b : number) | Minus (a b : number) | Opposite (a : number)
  | Product (a b : number) | Quotient (a b : number) | Inverse (a : number) | Power (a : number) (n : nat).
Inductive vector :=
  | Member (i : nat) | Zero | Plus (x y : vector) | Times (c : number) (x : vector).
Inductive form :=
  | Inner (x y : vector) | Square (x : vector) | Nothing | And (f g : form) | Without (f g : form) | Negative (f : form)
  | Scaled (c : number) (f : form) | Over (f : form) (c : number).

Fixpoint real (a : number) : R :=
  match a with
  | Whole z => IZR z | Sum a b => real a + real b | Minus a b => real a - real b
  | Opposite a => - real a | Product a b => real a * real b | Quotient a b => real a / real b
  | Inverse a => / real a | Power a n => real a ^ n
  end.
Fixpoint raised (q : Q) (n : nat) : Q := match n with O => 1%Q | S m => Qred (q * raised q m) end.
Fixpoint rational (a : number) : Q :=
  match a with
  | Whole z => inject_Z z | Sum a b => Qred (rational a + rational b)
  | Minus a b => Qred (rational a - rational b) | Opposite a => - rational a
  | Product a b => Qred (rational a * rational b) | Quotient a b => Qred (rational a / rational b)
  | Inverse a => / rational a | Power a n => raised (rational a) n
  end.
Fixpoint finite (a : number) : bool :=
  match a with
  | Whole _ => true | Sum a b | Minus a b | Product a b => finite a && finite b
  | Opposite a | Power a _ => finite a
  | Quotient a b => finite a && finite b && negb (Qeq_bool (rational b) 0)
  | Inverse b => finite b && negb (Qeq_bool (rational b) 0)
  end.
Lemma not_zero q : negb (Qeq_bool q 0) = true -> ~ (q == 0)%Q.
Proof. intros H E. apply Qeq_bool_iff in E. now rewrite E in H. Qed.
Lemma reduced q : Q2R (Qred q) = Q2R q.
Proof. apply Qeq_eqR, Qred_correct. Qed.
Lemma of_power q n : Q2R (raised q n) = Q2R q ^ n.
Proof.
  induction n as [|n IH]; [unfold Q2R; simpl; field|]. cbn [raised pow]. now rewrite reduced, Q2R_mult, IH.
Qed.
Lemma real_rational a : finite a = true -> real a = Q2R (rational a).
Proof.
  induction a; cbn [real rational finite]; rewrite ?Bool.andb_true_iff; intros H; rewrite ?reduced.
  - unfold Q2R, inject_Z. simpl. field.
  - destruct H. rewrite Q2R_plus. f_equal; auto.
  - destruct H. rewrite Q2R_minus. f_equal; auto.
  - rewrite Q2R_opp. f_equal; auto.
  - destruct H. rewrite Q2R_mult. f_equal; auto.
  - destruct H as [[Ha Hb] Hc]. apply not_zero in Hc.
    unfold Qdiv. rewrite Q2R_mult, Q2R_inv by trivial. unfold Rdiv. f_equal; [auto|f_equal; auto].
  - destruct H as [Ha Hb]. apply not_zero in Hb. rewrite Q2R_inv by trivial. f_equal; auto.
  - rewrite of_power. f_equal; auto.
Qed.

Section Of.
Context {E : Space}.
Fixpoint point (basis : list E) (x : vector) : E :=
  match x with
  | Member i => List.nth i basis zero | Zero => zero
  | Plus x y => (point basis x + point basis y)%vec | Times c x => (real c * point basis x)%vec
  end.
Fixpoint value (basis : list E) (f : form) : R :=
  match f with
  | Inner x y => inner (point basis x) (point basis y) | Square x => norm2 (point basis x) | Nothing => 0
  | And f g => value basis f + value basis g | Without f g => value basis f - value basis g
  | Negative f => - value basis f | Scaled c f => real c * value basis f
  | Over f c => value basis f / real c
  end.

(* Weights of the members of the basis; those behind the last are 0. *)
Fixpoint plus (a b : list Q) : list Q :=
  match a, b with
  | nil, _ => b | _, nil => a
  | x :: a', y :: b' => Qred (x + y) :: plus a' b'
  end%list.
Definition times (c : Q) (a : list Q) : list Q := List.map (fun x => Qred (c * x)) a.
Fixpoint member (i : nat) : list Q :=
  match i with O => 1%Q :: nil | S j => 0%Q :: member j end%list.
Fixpoint weights (x : vector) : list Q :=
  match x with
  | Member i => member i | Zero => nil | Plus x y => plus (weights x) (weights y)
  | Times c x => times (rational c) (weights x)
  end.
Fixpoint known (x : vector) : bool :=
  match x with
  | Member _ | Zero => true | Plus x y => known x && known y | Times c x => finite c && known x
  end.
Fixpoint along (a : list Q) (v : list E) (y : E) : R :=
  match a, v with c :: a', x :: v' => Q2R c * inner x y + along a' v' y | _, _ => 0 end%list.
Lemma along_plus a : forall b v y, along (plus a b) v y = along a v y + along b v y.
Proof.
  induction a as [|p a IH]; intros [|q b] [|x v] y; cbn [plus along]; try ring.
  rewrite IH, reduced, Q2R_plus. ring.
Qed.
Lemma along_times c a : forall v y, along (times c a) v y = Q2R c * along a v y.
Proof.
  induction a as [|p a IH]; intros [|x v] y; cbn [times List.map along]; try ring.
  unfold times in *. rewrite IH, reduced, Q2R_mult. ring.
Qed.
Lemma along_member i : forall v y, along (member i) v y = inner (List.nth i v zero) y.
Proof.
  induction i as [|i IH]; intros [|x v] y; simpl; rewrite ?inner_zero; trivial.
  - unfold Q2R. simpl. field.
  - rewrite IH. unfold Q2R. simpl. field.
Qed.
Lemma along_point x basis y : known x = true -> inner (point basis x) y = along (weights x) basis y.
Proof.
  induction x; cbn [known point weights]; rewrite ?Bool.andb_true_iff; intros H.
  - now rewrite along_member.
  - apply inner_zero.
  - destruct H. rewrite inner_add, along_plus. f_equal; auto.
  - destruct H. rewrite inner_scale, along_times, real_rational by trivial. f_equal; auto.
Qed.

(* The weights of the products of x with itself and with those behind it, row by row. *)
Fixpoint products (a b : list Q) : list (list Q) :=
  match a, b with
  | p :: a', q :: b' => (Qred (p * q) :: plus (times p b') (times q a')) :: products a' b'
  | _, _ => nil
  end%list.
Fixpoint total (m : list (list Q)) (v : list E) : R :=
  match m, v with
  | r :: m', x :: v' => along r v x + total m' v' | _, _ => 0
  end%list.
Fixpoint both (m n : list (list Q)) : list (list Q) :=
  match m, n with
  | nil, _ => n | _, nil => m | r :: m', s :: n' => plus r s :: both m' n'
  end%list.
Lemma total_both m : forall n v, total (both m n) v = total m v + total n v.
Proof.
  induction m as [|r m IH]; intros [|s n] [|x v]; cbn [both total]; try ring.
  rewrite IH, along_plus. ring.
Qed.
Lemma total_times c m : forall v, total (List.map (times c) m) v = Q2R c * total m v.
Proof.
  induction m as [|r m IH]; intros [|x v]; cbn [List.map total]; try ring.
  rewrite IH, along_times. ring.
Qed.
Fixpoint combined (a : list Q) (v : list E) : E :=
  match a, v with c :: a', x :: v' => (Q2R c * x + combined a' v')%vec | _, _ => zero end%list.
Lemma along_combined a : forall v y, inner (combined a v) y = along a v y.
Proof.
  induction a as [|c a IH]; intros [|x v] y; simpl; rewrite ?inner_zero; trivial.
  now rewrite inner_add, inner_scale, IH.
Qed.
Lemma total_products v : forall a b, inner (combined a v) (combined b v) = total (products a b) v.
Proof.
  induction v as [|x v IH]; intros [|p a] [|q b]; cbn [combined products total];
    rewrite ?inner_zero, ?inner_zero_r; trivial.
  rewrite inner_add, inner_scale, !inner_add_r, !inner_scale_r, IH, (inner_comm E x (combined b v)).
  rewrite !along_combined. cbn [along]. rewrite along_plus, !along_times, reduced, Q2R_mult. ring.
Qed.
Lemma point_combined x basis y : known x = true ->
  inner (point basis x) y = inner (combined (weights x) basis) y.
Proof. intro H. now rewrite along_point, along_combined. Qed.

Fixpoint matrix (f : form) : list (list Q) :=
  match f with
  | Inner x y => products (weights x) (weights y) | Nothing => nil
  | Square x => let w := weights x in products w w
  | And f g => both (matrix f) (matrix g)
  | Without f g => both (matrix f) (List.map (times (-1)) (matrix g))
  | Negative f => List.map (times (-1)) (matrix f)
  | Scaled c f => List.map (times (rational c)) (matrix f)
  | Over f c => List.map (times (/ rational c)) (matrix f)
  end.
Fixpoint clear (f : form) : bool :=
  match f with
  | Inner x y => known x && known y | Square x => known x | Nothing => true
  | And f g | Without f g => clear f && clear g | Negative f => clear f
  | Scaled c f => finite c && clear f
  | Over f c => finite c && negb (Qeq_bool (rational c) 0) && clear f
  end.
Lemma minus_one : Q2R (-1) = -1.
Proof. unfold Q2R. simpl. field. Qed.
Lemma value_matrix basis f : clear f = true -> value basis f = total (matrix f) basis.
Proof.
  induction f; cbn [clear value matrix]; rewrite ?Bool.andb_true_iff; intros H.
  - destruct H. rewrite point_combined, inner_comm, point_combined, inner_comm by trivial.
    apply total_products.
  - transitivity (inner (combined (weights x) basis) (combined (weights x) basis)); [|apply total_products].
    unfold norm2. rewrite point_combined, (inner_comm E (combined _ _) (point basis x)) by trivial.
    now apply point_combined.
  - reflexivity.
  - destruct H. rewrite total_both. f_equal; auto.
  - destruct H. rewrite total_both, total_times, minus_one, IHf1, IHf2 by trivial. ring.
  - rewrite total_times, minus_one, IHf by trivial. ring.
  - destruct H. rewrite total_times, real_rational, IHf by trivial. reflexivity.
  - destruct H as [[Hc Hz] Hf]. apply not_zero in Hz.
    rewrite total_times, Q2R_inv, <- real_rational, IHf by trivial. unfold Rdiv. ring.
Qed.
Definition vanishes (m : list (list Q)) : bool := List.forallb (List.forallb (Qeq_bool 0)) m.
Lemma along_vanishes a : forall v y, List.forallb (Qeq_bool 0) a = true -> along a v y = 0.
Proof.
  induction a as [|c a IH]; intros [|x v] y; simpl; trivial.
  rewrite Bool.andb_true_iff. intros [Hc Ha]. rewrite IH by trivial.
  rewrite <- (Qeq_eqR _ _ (Qeq_bool_eq _ _ Hc)). unfold Q2R. simpl. field.
Qed.
Lemma total_vanishes m : forall v, vanishes m = true -> total m v = 0.
Proof.
  induction m as [|r m IH]; intros [|x v]; cbn [total vanishes List.forallb]; trivial.
  rewrite Bool.andb_true_iff. intros [Hr Hm]. rewrite along_vanishes, IH by trivial. ring.
Qed.
Definition same (f g : form) : bool := clear f && clear g && vanishes (matrix (Without f g)).
Lemma same_value basis f g : same f g = true -> value basis f = value basis g.
Proof.
  unfold same. rewrite !Bool.andb_true_iff. intros [[Hf Hg] H].
  assert (value basis (Without f g) = 0) as D
    by (rewrite value_matrix; [now apply total_vanishes|simpl; now rewrite Hf, Hg]).
  simpl in D. lra.
Qed.
(* A sum of squares with weights that are not negative. *)
Fixpoint squares (f : form) : bool :=
  match f with
  | Square _ | Nothing => true | And f g => squares f && squares g
  | Scaled c f => finite c && Qle_bool 0 (rational c) && squares f | _ => false
  end.
Lemma squares_positive basis f : squares f = true -> 0 <= value basis f.
Proof.
  induction f; cbn [squares value]; rewrite ?Bool.andb_true_iff; intros H; try discriminate.
  - apply inner_positive.
  - lra.
  - destruct H. apply Rplus_le_le_0_compat; auto.
  - destruct H as [[Hc Hn] Hf]. apply Rmult_le_pos; auto. rewrite real_rational by trivial.
    apply Qle_bool_iff, Qle_Rle in Hn. unfold Q2R in Hn at 1. simpl in Hn. lra.
Qed.
End Of.

Ltac number t :=
  lazymatch t with
  | IZR ?z => constr:(Whole z)
  | ?a + ?b => let p := number a in let q := number b in constr:(Sum p q)
  | ?a - ?b => let p := number a in let q := number b in constr:(Minus p q)
  | - ?a => let p := number a in constr:(Opposite p)
  | ?a * ?b => let p := number a in let q := number b in constr:(Product p q)
  | ?a / ?b => let p := number a in let q := number b in constr:(Quotient p q)
  | / ?a => let p := number a in constr:(Inverse p)
  | ?a ^ ?n => let p := number a in constr:(Power p n)
  end.
Ltac vector x known :=
  lazymatch x with
  | add ?a ?b => let p := vector a known in let q := vector b known in constr:(Plus p q)
  | scale ?r ?a => let c := number r in let p := vector a known in constr:(Times c p)
  | zero => constr:(Zero)
  | _ => let i := place x known in constr:(Member i)
  end.
Ltac members t known :=
  lazymatch t with
  | inner ?x ?y => let k := collect x known in collect y k
  | norm2 ?x => collect x known
  | ?a + ?b => let k := members a known in members b k
  | ?a - ?b => let k := members a known in members b k
  | - ?a => members a known
  | ?a * ?b => let k := members a known in members b k
  | ?a / ?b => members a known
  | _ => known
  end.
Ltac form t known :=
  lazymatch t with
  | inner ?x ?y => let p := vector x known in let q := vector y known in constr:(Inner p q)
  | norm2 ?x => let p := vector x known in constr:(Square p)
  | ?a + ?b => let p := form a known in let q := form b known in constr:(And p q)
  | ?a - ?b => let p := form a known in let q := form b known in constr:(Without p q)
  | - ?a => let p := form a known in constr:(Negative p)
  | ?a * ?b => let c := number a in let p := form b known in constr:(Scaled c p)
  | ?a / ?b => let p := form a known in let c := number b in constr:(Over p c)
  | 0 => constr:(Nothing)
  end.
End Rational.
Ltac in_space tactic :=
  lazymatch goal with
  | |- context [@inner ?E _ _] => tactic E
  | |- context [@norm2 ?E _] => tactic E
  end.
Ltac rational_sum :=
  unfold sub;
  in_space ltac:(fun E => lazymatch goal with |- ?l = ?r =>
    let basis := Rational.members l (@nil E) in let basis := Rational.members r basis in
    let p := Rational.form l basis in let q := Rational.form r basis in
    change (Rational.value basis p = Rational.value basis q);
    apply Rational.same_value; vm_compute; reflexivity
  end).
Ltac rational_squares :=
  unfold sub;
  in_space ltac:(fun E => lazymatch goal with |- 0 <= ?l =>
    let basis := Rational.members l (@nil E) in let p := Rational.form l basis in
    change (0 <= Rational.value basis p); apply Rational.squares_positive; vm_compute; reflexivity
  end).
(* What is known, weighed, and squares: ``sign`` would look at all of them at once. *)
Ltac summands :=
  lazymatch goal with
  | |- 0 <= _ * ?known => first [rational_squares | apply Rmult_le_pos; [sign | first [assumption | sign]]]
  | |- 0 <= _ + _ => first [rational_squares | apply Rplus_le_le_0_compat; summands]
  | |- _ => sign
  end.
