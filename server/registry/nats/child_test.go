package nats_test

const childEnv = "TIM_NATS_CHILD"

func runChild() {}
